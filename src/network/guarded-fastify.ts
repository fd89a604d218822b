import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { hostAndPort } from '../config/url';
import { ConfigError, errorCode } from '../errors';
import { GuardedServer, type GuardedServerParts } from './guarded-server';
import { refuseUnreadable } from './unreadable-request';

export interface GuardedFastify {
  readonly server: FastifyInstance;
  /** Ends every connection that is still open, upgraded ones too: for the end of a deadline. */
  readonly destroyAll: () => void;
}

/** Bodies of routes that need no key; those that check one may set a larger limit. */
const PUBLIC_BODY_LIMIT = 16_384;

/** Nobody guesses types, frames our pages, or keeps answers that may hold secrets. A route may say otherwise. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/**
 * Bodies are checked by the routes, which name every problem at once; schemas only describe. Fastify loads its own compilers of
 * schemas, and memory with them, unless there are others. Their type asks for more of a check than fastify does, which calls it.
 */
const NO_COMPILERS = {
  compilersFactory: { buildValidator: () => () => () => true, buildSerializer: () => () => JSON.stringify },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

/** Fastify on a guarded server, with what all ports of ours share. */
export function guardedFastify(
  parts: GuardedServerParts,
  options: FastifyServerOptions = {},
): GuardedFastify {
  const guarded: GuardedServer[] = [];
  const server = fastify({
    ...options,
    logger: false,
    schemaController: NO_COMPILERS,
    clientErrorHandler: refuseUnreadable,
    forceCloseConnections: true,
    bodyLimit: PUBLIC_BODY_LIMIT,
    trustProxy: parts.trustedProxies.length > 0 ? [...parts.trustedProxies] : false,
    serverFactory: (listener) => {
      const created = new GuardedServer(parts, listener);
      guarded.push(created);
      return created;
    },
  });
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  return {
    server,
    destroyAll: () => {
      for (const each of guarded) each.destroyAll();
    },
  };
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Those that it comes from. */
  readonly variables: string;
}

/**
 * Opens the port; false where it was not wanted any more by then. A server that is closed while it is about to listen does
 * so all the same, so that it is closed once more.
 *
 * @throws ConfigError where it cannot be opened
 */
export async function listenWhile(
  server: FastifyInstance,
  { host, port, variables }: ListenAddress,
  isWanted: () => boolean,
): Promise<boolean> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    // Closing may have been what it failed over.
    if (!isWanted()) return false;
    const code = errorCode(error);
    const problem = `${variables}: ${hostAndPort(host, port)} cannot be listened on (${code}): ${remedyOf(code)}`;
    throw new ConfigError([problem], { cause: error });
  }
  if (isWanted()) return true;
  await new Promise((resolve) => server.server.close(resolve));
  return false;
}

/** Where the host is at fault, no other port helps. */
const HOST_FAULTS: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EINVAL']);

function remedyOf(code: string): string {
  return HOST_FAULTS.has(code)
    ? 'the host must be an address or a name of this machine alone, such as 0.0.0.0'
    : 'name a free port';
}
