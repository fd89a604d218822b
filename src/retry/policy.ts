import type { AttemptRecord } from '../pipeline/delivery';
import type { Decision } from '../pipeline/parking';

/** Durations in milliseconds. */
export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly exponential: boolean;
  /** Share by which a delay varies, up and down: 0.2 is ±20 %. */
  readonly jitter: number;
}

/** A destination may ask for a longer pause than the policy's cap, but not for a longer one than this. */
export const MAX_RETRY_AFTER_MS = 3_600_000;
/** Our own faults spend no attempt; the delivery is looked at again after this. */
export const INTERRUPTED_DELAY_MS = 5000;

/**
 * Delay before the attempt that follows number `attempt`, without jitter. With the defaults, which are the core
 * API's:
 *
 * | after attempt | 1 | 2  | 3  | 4  | 5  | 6   | 7   | 8   | 9   | 10          |
 * |---------------|---|----|----|----|----|-----|-----|-----|-----|-------------|
 * | seconds       | 5 | 10 | 20 | 40 | 80 | 160 | 300 | 300 | 300 | dead letter |
 */
export function backoffMs(policy: RetryPolicy, attempt: number): number {
  const factor = policy.exponential ? 2 ** Math.min(attempt - 1, 40) : 1;
  return Math.min(policy.initialDelayMs * factor, policy.maxDelayMs);
}

/**
 * What follows an attempt that was not delivered. Pure: `random` is a number from 0 to 1.
 *
 * @throws RangeError for a record that was delivered or discarded: nothing follows
 */
export function decide(
  policy: RetryPolicy,
  maxAttempts: number,
  record: AttemptRecord,
  random: number,
): Decision {
  const { outcome, attempt } = record;
  switch (outcome.kind) {
    case 'rejected':
      return { kind: 'give-up', reason: outcome.reason ?? 'rejected' };
    case 'interrupted':
      return { kind: 'retry', delayMs: outcome.retryAfterMs ?? INTERRUPTED_DELAY_MS };
    case 'failed': {
      if (attempt >= maxAttempts) return { kind: 'give-up', reason: 'attempts-exhausted' };
      const jittered = backoffMs(policy, attempt) * (1 + policy.jitter * (2 * random - 1));
      const asked = Math.min(outcome.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
      return { kind: 'retry', delayMs: Math.round(Math.max(jittered, asked)) };
    }
    case 'delivered':
    case 'discarded':
      throw new RangeError(`nothing follows a ${outcome.kind} attempt`);
  }
}
