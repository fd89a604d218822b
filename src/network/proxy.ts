import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { withoutBrackets } from '../config/url';
import { explainError, ProxyError } from '../errors';

/** Which requests go by way of which proxy. */
export interface ProxyRules {
  /** For http:// addresses. */
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts that are reached without: `example.com` and all below it, `host:port`, `*`. */
  readonly except: readonly string[];
}

/** The proxy for requests to `origin`; undefined where they go straight. */
export function proxyFor(origin: string, rules: ProxyRules): URL | undefined {
  const { protocol, hostname, port } = new URL(origin);
  const proxy = protocol === 'https:' ? rules.https : rules.http;
  if (proxy === undefined || isLoopback(hostname)) return undefined;
  const address = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
  return rules.except.some((exception) => isExcept(hostname, address, exception.toLowerCase()))
    ? undefined
    : new URL(proxy);
}

/** What is on this very machine is never behind a proxy. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

function isExcept(hostname: string, address: string, exception: string): boolean {
  if (exception === '*' || exception === address) return true;
  const domain = exception.replace(/^\*?\./, '');
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

export interface TunnelOptions {
  readonly timeoutMs: number;
  /** The address to ask the proxy for instead of the name: what was judged is what is connected to. */
  readonly addressOf?: (hostname: string) => Promise<string>;
}

/** Gateways answer so when it is the other side that is away; every other refusal is the proxy's own. */
const OTHER_SIDE: ReadonlySet<number> = new Set([502, 503, 504]);

/** The proxy could not reach the other side. */
class UnreachedError extends Error {
  readonly code = 'PROXY_UNREACHED';
}

/**
 * Connects through a proxy by CONNECT, for both schemes: TLS is between us and the other side, and the proxy connects
 * to the very address that was allowed.
 */
export function tunnelConnector(proxy: URL, options: TunnelOptions): buildConnector.connector {
  const secure = buildConnector({ timeout: options.timeoutMs });
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
  return new Promise((resolve, reject) => {
    const request = connectRequest(proxy, authority, timeoutMs);
    request.on('connect', (answer: IncomingMessage, socket: Socket) => {
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode < 300) return resolve(socket);
      socket.destroy();
      reject(refusalOf(statusCode));
    });
    // Some proxies answer a refusal as if it were any other request.
    request.on('response', ({ statusCode = 0 }) => {
      request.destroy();
      reject(refusalOf(statusCode));
    });
    request.on('timeout', () => request.destroy(new Error('timed out')));
    request.on('error', (error) =>
      reject(
        new ProxyError('PROXY_UNREACHABLE', `${proxy.host} cannot be reached: ${explainError(error)}`, {
          cause: error,
        }),
      ),
    );
    request.end();
  });
}

function connectRequest(proxy: URL, authority: string, timeoutMs: number): ClientRequest {
  const { username, password } = proxy;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization =
    username === '' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  const request = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
  const host = withoutBrackets(proxy.hostname);
  return request({
    host,
    // Otherwise it would be taken from the header `host`, which names the other side.
    servername: isIP(host) ? '' : host,
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...authorization },
    agent: false,
    timeout: timeoutMs,
  });
}

function refusalOf(status: number): Error {
  if (OTHER_SIDE.has(status)) return new UnreachedError(`the proxy did not get through: ${status}`);
  if (status === 407) return new ProxyError('PROXY_AUTHENTICATION', 'the proxy wants other credentials');
  return new ProxyError('PROXY_REFUSED', `the proxy refused with ${status}`);
}
