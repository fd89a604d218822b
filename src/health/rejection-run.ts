import type { Outcome } from '../pipeline/delivery';

/** What a destination answered to a delivery that it will never take. */
export interface Rejection {
  readonly code: string;
  readonly status: number;
}

/** Deliveries that a destination rejected in a row, as this worker saw them. */
export interface RejectionRun {
  /** Fingerprint of the address that rejected the first one. */
  readonly print: string;
  readonly count: number;
  /** When the first one was rejected, by a clock that nobody sets. */
  readonly firstMs: number;
}

/** This many in a row, */
const LEAST = 3;
/** over no less than this: events come in bursts, and a workflow that is restarted is away for a moment. */
const LEAST_MS = 10_000;
/** Suspends the destination (pipeline/circuit.ts). */
const GONE = 410;

/**
 * Undefined for what says nothing against the destination as a whole: what the relay itself found wrong with an event, and events
 * that are too large for it.
 */
export function rejectionOf(outcome: Outcome): Rejection | undefined {
  if (outcome.kind !== 'rejected' || outcome.reason !== undefined) return undefined;
  const { code, status } = outcome;
  return status === undefined || status === GONE ? undefined : { code, status };
}

/** With one more. */
export function runAfter(run: RejectionRun | undefined, printOf: () => string, nowMs: number): RejectionRun {
  if (run === undefined) return { print: printOf(), count: 1, firstMs: nowMs };
  return { ...run, count: run.count + 1 };
}

/** Whether that is enough to say that it rejects everything. */
export function isRejecting({ count, firstMs }: RejectionRun, nowMs: number): boolean {
  return count >= LEAST && nowMs - firstMs >= LEAST_MS;
}
