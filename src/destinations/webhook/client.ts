import { Pool } from 'undici';
import type { AddressGuard } from '../../network/address-guard';

export interface HttpClientOptions {
  /** As many as there can be attempts at once. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** Set where the address is a tenant's choice; the operator's own may be anywhere. */
  readonly guard?: AddressGuard;
}

/**
 * The connections to one origin. Redirects are not followed: undici never does so by itself. Idle connections are
 * closed after four seconds.
 */
export function createHttpClient(origin: string, options: HttpClientOptions): Pool {
  return new Pool(origin, {
    connections: options.connections,
    pipelining: 1,
    connect: options.guard?.connector({ timeout: options.connectTimeoutMs }) ?? {
      timeout: options.connectTimeoutMs,
    },
    // Attempts bound the whole request; these would only bound the pauses within it.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
  });
}
