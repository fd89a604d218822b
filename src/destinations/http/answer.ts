import { AddressRefusedError, errorCode, ProxyError } from '../../errors';
import type { Outcome } from '../../pipeline/delivery';
import { type HttpResult, isSuccess } from './exchange';

/**
 * Failures that say something about this machine, not about the destination: they spend no attempt. What one destination
 * can bring about alone must not be here, or its deliveries would wait for ever: a name whose servers do not answer
 * (EAI_AGAIN), an address of a family that this machine has not (EADDRNOTAVAIL).
 */
const OUR_OWN_FAULTS: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'ENETDOWN',
  'RESOLVER_DOWN',
]);

/** Answers by which a server, or a proxy before it, says that it has too much to do (RFC 9110, RFC 6585). */
const TOO_MUCH: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** By it a receiver says that it wants no more events (Standard Webhooks 1.0). */
const GONE = 410;

/** What a server does that has no room for another connection. */
const TOO_BUSY: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** How an exchange ended → outcome. */
export function toOutcome(result: HttpResult, rejectedStatuses: ReadonlySet<number>, now: number): Outcome {
  switch (result.kind) {
    case 'answer':
      return outcomeOfAnswer(result.status, rejectedStatuses, result.text, result.retryAfter, now);
    case 'error':
      return outcomeOfError(result.error);
    case 'aborted':
      return result.reason === 'timeout'
        ? { kind: 'failed', code: 'TIMEOUT', overloaded: true }
        : { kind: 'interrupted', code: 'SHUTDOWN' };
  }
}

/** Answer → outcome. 2xx is success, the configured statuses will never change, everything else is retried. */
export function outcomeOfAnswer(
  status: number,
  rejectedStatuses: ReadonlySet<number>,
  answer: string,
  retryAfter: string | undefined,
  now: number,
): Outcome {
  if (isSuccess(status)) return { kind: 'delivered', status };
  const code = `HTTP_${status}`;
  const gone = status === GONE ? { gone: true as const } : {};
  if (rejectedStatuses.has(status)) return { kind: 'rejected', code, status, answer, ...gone };
  const retryAfterMs = parseRetryAfter(retryAfter, now);
  return {
    kind: 'failed',
    code,
    status,
    answer,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(TOO_MUCH.has(status) ? { overloaded: true } : {}),
    ...gone,
  };
}

/** A request that got no answer → outcome. */
export function outcomeOfError(error: unknown): Outcome {
  const root = rootOf(error);
  const code = errorCode(root);
  // Retried, as the operator may open the network meanwhile; the history says how.
  if (root instanceof AddressRefusedError) return { kind: 'failed', code, answer: root.message };
  if (root instanceof ProxyError) return { kind: 'interrupted', code };
  if (OUR_OWN_FAULTS.has(code)) return { kind: 'interrupted', code };
  return { kind: 'failed', code, ...(TOO_BUSY.has(code) ? { overloaded: true } : {}) };
}

/** Several addresses of one host that all failed come as an AggregateError: the first one speaks for all. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError && errorCode(error) === 'AggregateError' ? error.errors[0] : error;
}

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110, section 10.2.3). */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/[a-z]{3}/i.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
