import fc from 'fast-check';
import type { AttemptRecord, Outcome } from '../../../src/pipeline/delivery';
import {
  backoffMs,
  decide,
  INTERRUPTED_DELAY_MS,
  MAX_RETRY_AFTER_MS,
  type RetryPolicy,
} from '../../../src/retry/policy';
import { DELIVERED, FAILED, INTERRUPTED, REJECTED } from '../../support/harness/pipeline-harness';

const DEFAULTS: RetryPolicy = { initialDelayMs: 5000, maxDelayMs: 300_000, exponential: true, jitter: 0.2 };

function recordOf(attempt: number, outcome: Outcome): AttemptRecord {
  return { attempt, at: 0, durationMs: 1, outcome };
}

function delayOf(policy: RetryPolicy, attempt: number, outcome: Outcome, random = 0.5): number {
  const decision = decide(policy, Number.POSITIVE_INFINITY, recordOf(attempt, outcome), random);
  if (decision.kind !== 'retry') throw new Error(decision.reason);
  return decision.delayMs;
}

const random = fc.double({ min: 0, max: 1, noNaN: true });
const anyPolicy: fc.Arbitrary<RetryPolicy> = fc.record({
  initialDelayMs: fc.nat(1_000_000),
  maxDelayMs: fc.nat(1_000_000),
  exponential: fc.boolean(),
  jitter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyAttempt = fc.integer({ min: 1, max: 10_000 });

describe('the retry policy', () => {
  test('has exactly the documented schedule', () => {
    const seconds = Array.from({ length: 9 }, (_, index) => backoffMs(DEFAULTS, index + 1) / 1000);
    expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test('varies a delay by the jitter, up and down, and no more', () => {
    expect(delayOf(DEFAULTS, 1, FAILED, 0)).toBe(4000);
    expect(delayOf(DEFAULTS, 1, FAILED, 0.5)).toBe(5000);
    expect(delayOf(DEFAULTS, 1, FAILED, 1)).toBe(6000);
  });

  test('never waits longer than the cap and its jitter, nor a negative time', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, random, (policy, attempt, chance) => {
        const delayMs = delayOf(policy, attempt, FAILED, chance);
        expect(Number.isInteger(delayMs)).toBe(true);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(Math.ceil(policy.maxDelayMs * (1 + policy.jitter)));
      }),
    );
  });

  test('never waits less after a later attempt, jitter aside', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, (policy, attempt) => {
        expect(backoffMs(policy, attempt + 1)).toBeGreaterThanOrEqual(backoffMs(policy, attempt));
      }),
    );
  });

  test('without exponential back-off every delay is the first one', () => {
    const policy = { ...DEFAULTS, exponential: false };
    expect([1, 2, 9].map((attempt) => backoffMs(policy, attempt))).toEqual([5000, 5000, 5000]);
  });

  test('gives up exactly when the attempts are used up', () => {
    fc.assert(
      fc.property(anyAttempt, anyAttempt, random, (attempt, maxAttempts, chance) => {
        const decision = decide(DEFAULTS, maxAttempts, recordOf(attempt, FAILED), chance);
        if (attempt < maxAttempts) expect(decision.kind).toBe('retry');
        else expect(decision).toEqual({ kind: 'give-up', reason: 'attempts-exhausted' });
      }),
    );
  });

  test('gives up at once on an answer that will never change', () => {
    fc.assert(
      fc.property(anyAttempt, anyAttempt, random, (attempt, maxAttempts, chance) => {
        const decision = decide(DEFAULTS, maxAttempts, recordOf(attempt, REJECTED), chance);
        expect(decision).toEqual({ kind: 'give-up', reason: 'rejected' });
      }),
    );
  });

  test('an interruption spends no attempt: it never gives up, whatever the number', () => {
    fc.assert(
      fc.property(anyAttempt, anyAttempt, random, (attempt, maxAttempts, chance) => {
        const decision = decide(DEFAULTS, maxAttempts, recordOf(attempt, INTERRUPTED), chance);
        expect(decision).toEqual({ kind: 'retry', delayMs: INTERRUPTED_DELAY_MS });
      }),
    );
  });

  test('honours Retry-After where it is longer than its own delay, up to an hour', () => {
    const asked = (retryAfterMs: number): number => delayOf(DEFAULTS, 1, { ...FAILED, retryAfterMs });
    expect(asked(1000)).toBe(5000);
    expect(asked(60_000)).toBe(60_000);
    expect(asked(900_000)).toBe(900_000);
    expect(asked(86_400_000)).toBe(MAX_RETRY_AFTER_MS);
  });

  test('whatever a destination asks for, the wait is bounded, and never shorter than it asked within the bound', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, fc.nat(), random, (policy, attempt, retryAfterMs, chance) => {
        const delayMs = delayOf(policy, attempt, { ...FAILED, retryAfterMs }, chance);
        const cap = Math.ceil(policy.maxDelayMs * (1 + policy.jitter));
        expect(delayMs).toBeLessThanOrEqual(Math.max(cap, MAX_RETRY_AFTER_MS));
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
      }),
    );
  });

  test('nothing follows a delivered attempt', () => {
    expect(() => decide(DEFAULTS, 10, recordOf(1, DELIVERED), 0.5)).toThrow(RangeError);
  });
});
