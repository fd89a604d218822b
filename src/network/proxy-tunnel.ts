import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { buildConnector } from 'undici';
import { withoutBrackets } from '../config/url';
import { explainError, ProxyError, TunnelError } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { operatorLookup } from './names';
import { isProxyDown, type ProxyFailure, RecentUses } from './shared-fault';
import { makeConnector } from './undici-parts';

export interface TunnelOptions {
  /** For the tunnel, and again for the handshake through it. */
  readonly timeoutMs: number;
  /** The address to ask the proxy for instead of the name: what was judged is what is connected to. */
  readonly addressOf?: (hostname: string) => Promise<string>;
}

/** Gateways answer so when it is the other side that is away. */
const OTHER_SIDE: ReadonlySet<number> = new Set([502, 503, 504]);
const CREDENTIALS = 407;

const CODES: Readonly<Record<ProxyFailure, string>> = {
  unreachable: 'PROXY_UNREACHABLE',
  credentials: 'PROXY_AUTHENTICATION',
  refused: 'PROXY_REFUSED',
  unreached: 'PROXY_UNREACHED',
  silent: 'PROXY_UNREACHED',
};

/** By the proxy's host: there are one or two. */
const recentUses = new LRUCache<string, RecentUses>({ max: 16 });

/**
 * Connects through a proxy by CONNECT, for both schemes: TLS is between us and the other side, and the proxy connects
 * to the very address that was allowed.
 */
export function tunnelConnector(proxy: URL, options: TunnelOptions): buildConnector.connector {
  const secure = makeConnector({ timeout: options.timeoutMs });
  return (target, callback) => {
    openTunnel(proxy, target, options).then(
      (socket) => {
        if (target.protocol === 'https:') secure({ ...target, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: Error) => callback(error, null),
    );
  };
}

async function openTunnel(
  proxy: URL,
  { hostname, port, protocol }: buildConnector.Options,
  { timeoutMs, addressOf }: TunnelOptions,
): Promise<Socket> {
  const host = addressOf === undefined ? hostname : await addressOf(hostname);
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port || (protocol === 'https:' ? 443 : 80)}`;
  const uses = usesOf(proxy);
  const result = await ask(proxy, authority, timeoutMs);
  if (result.kind === 'open') {
    uses.noteWorked(monotonicMs());
    return result.socket;
  }
  const { failure, message, cause } = result;
  uses.noteFailed(authority);
  const ErrorOfSide = isProxyDown(failure, uses.failedNames) ? ProxyError : TunnelError;
  throw new ErrorOfSide(CODES[failure], message, { cause });
}

function usesOf(proxy: URL): RecentUses {
  const uses = recentUses.get(proxy.host) ?? new RecentUses();
  recentUses.set(proxy.host, uses);
  return uses;
}

type Result =
  | { readonly kind: 'open'; readonly socket: Socket }
  | {
      readonly kind: 'failed';
      readonly failure: ProxyFailure;
      readonly message: string;
      readonly cause?: unknown;
    };

/** Never rejects; ends within `timeoutMs`, whatever the proxy sends. */
function ask(proxy: URL, authority: string, timeoutMs: number): Promise<Result> {
  return new Promise((resolve) => {
    const request = connectRequest(proxy, authority);
    let reached = false;
    // Of the request as a whole: one of the connection's silence would be put off by each byte.
    const timer = setTimeout(() => request.destroy(new Error('timed out')), timeoutMs);
    const end = (result: Result): void => {
      clearTimeout(timer);
      resolve(result);
    };
    request.on('socket', (socket) => {
      socket.once(proxy.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        reached = true;
      });
    });
    request.on('connect', ({ statusCode = 0 }: IncomingMessage, socket: Socket, head: Buffer) => {
      if (statusCode < 200 || statusCode >= 300) {
        socket.destroy();
        return end(refusalOf(statusCode));
      }
      if (head.length > 0) socket.unshift(head);
      end({ kind: 'open', socket });
    });
    // Some proxies answer a refusal as if it were any other request.
    request.on('response', ({ statusCode = 0 }) => {
      end(refusalOf(statusCode));
      request.destroy();
    });
    request.on('error', (cause) => {
      // Once it is reached, it waits for the other side: whether that or itself does not answer, it does not say.
      const failure = reached ? 'silent' : 'unreachable';
      const what = reached ? 'did not get through' : 'cannot be reached';
      end({ kind: 'failed', failure, message: `${proxy.host} ${what}: ${explainError(cause)}`, cause });
    });
    request.end();
  });
}

function connectRequest(proxy: URL, authority: string): ClientRequest {
  const { username, password } = proxy;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization =
    username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  const request = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  const host = withoutBrackets(proxy.hostname);
  return request({
    host,
    lookup: operatorLookup,
    // Otherwise it would be taken from the header `host`, which names the other side.
    servername: isIP(host) ? '' : host,
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...authorization },
    agent: false,
  });
}

function refusalOf(status: number): Result {
  if (OTHER_SIDE.has(status))
    return { kind: 'failed', failure: 'unreached', message: `the proxy did not get through: ${status}` };
  if (status === CREDENTIALS)
    return { kind: 'failed', failure: 'credentials', message: 'the proxy wants other credentials' };
  return { kind: 'failed', failure: 'refused', message: `the proxy refused with ${status}` };
}
