import type { Outcome } from '../../pipeline/delivery';
import { toOutcome } from '../http/answer';
import type { HttpResult } from '../http/exchange';

/** Requests that are wrong, by a wrong secret, a wrong name or their size, stay wrong. */
const REJECTED: ReadonlySet<number> = new Set([400, 401, 404, 413, 422]);
/** One event of a batch may be what is wrong; the others are not. */
const BLAMES_AN_EVENT: ReadonlySet<number> = new Set([400, 413, 422]);
/** Over quota, or suspended: lasts until the quota is new, or somebody has paid. */
const NOT_NOW = 403;

const TOO_LARGE = 413;

/** What Pusher's answer, or the lack of one, means for an event that was alone in its request. */
export function toPusherOutcome(result: HttpResult, longDelayMs: number): Outcome {
  const outcome = toOutcome(result, REJECTED, Date.now());
  if (outcome.kind === 'rejected' && outcome.status === TOO_LARGE) return { ...outcome, reason: 'oversize' };
  if (outcome.kind !== 'failed' || outcome.status !== NOT_NOW) return outcome;
  return { ...outcome, retryAfterMs: Math.max(longDelayMs, outcome.retryAfterMs ?? 0) };
}

export function blamesAnEvent(result: HttpResult): boolean {
  return result.kind === 'answer' && BLAMES_AN_EVENT.has(result.status);
}
