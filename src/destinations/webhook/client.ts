import { Agent, type Dispatcher } from 'undici';

export interface HttpClientOptions {
  /** Connections to one origin: several webhooks may share it, each bounded by its own bulkhead. */
  readonly connectionsPerOrigin: number;
  readonly connectTimeoutMs: number;
}

/** The pools that all webhooks share. Redirects are not followed: undici never does so by itself. */
export function createHttpClient(options: HttpClientOptions): Dispatcher {
  return new Agent({
    connections: options.connectionsPerOrigin,
    pipelining: 1,
    connect: { timeout: options.connectTimeoutMs },
    // Attempts bound the whole request; these would only bound the pauses within it.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
  });
}
