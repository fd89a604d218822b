import { type buildConnector, Pool } from 'undici';

export interface HttpClientOptions {
  /** As many as there can be attempts at once. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** How to connect, where not straight to whatever the name leads to: guarded, or by way of a proxy. */
  readonly connector?: buildConnector.connector;
}

/**
 * The connections to one origin. Redirects are not followed: undici never does so by itself. Idle connections are
 * closed after four seconds.
 */
export function createHttpClient(origin: string, options: HttpClientOptions): Pool {
  return new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    connect: options.connector ?? { timeout: options.connectTimeoutMs },
    // Attempts bound the whole request; these would only bound the pauses within it.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
  });
}
