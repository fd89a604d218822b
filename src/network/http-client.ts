import type { buildConnector, Pool } from 'undici';
import { boundAnswers, MAX_HEAD } from './answer-bounds';
import { operatorLookup } from './names';
import { makeConnector, makePool } from './undici-parts';

export interface HttpClientOptions {
  /** As many as there can be attempts at once. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** How to connect, where not straight to whatever the operator's name leads to: guarded, or by way of a proxy. */
  readonly connector?: buildConnector.connector;
  /** Bytes of one answer; 256 KB where it is left out. */
  readonly maxAnswer?: number;
}

/** Of a webhook's answer as it comes. Of its body no more than 64 KB are read (destinations/http/exchange.ts). */
const MAX_ANSWER = 262_144;

/**
 * The connections to one origin. Redirects are not followed: undici never does so by itself. Idle connections are
 * closed after four seconds. What an answer may take of memory and time is bounded here, whichever server sends it.
 */
export function createHttpClient(origin: string, options: HttpClientOptions): Pool {
  const { connections, connectTimeoutMs: timeout, maxAnswer: maxBytes = MAX_ANSWER } = options;
  const connector = options.connector ?? makeConnector({ timeout, lookup: operatorLookup });
  return makePool(origin, {
    connections,
    pipelining: 1,
    connect: boundAnswers(connector, { maxBytes }),
    // Attempts bound the whole request; these would only bound the pauses within it.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: MAX_HEAD,
  });
}
