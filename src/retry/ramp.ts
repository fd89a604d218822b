import { monotonicMs } from '../time/monotonic';

/** Places at first, and added after each step. */
const PLACES = 16;
const STEP_MS = 100;
/** Without any retry for this long the next ones are the first. */
const REST_MS = 1000;

/**
 * Places for retries that are given out little by little. When a receiver comes back a whole backlog is due at once, and code
 * that did not run for a while takes several times as long at first: all places at once kept fresh events waiting for 30 ms.
 */
export class Ramp {
  private begunAt = Number.NEGATIVE_INFINITY;
  private busyAt = Number.NEGATIVE_INFINITY;

  /** @param most places in the end */
  constructor(private readonly most: number) {}

  /** @param underWay retries of this moment */
  places(underWay: number): number {
    const now = monotonicMs();
    if (underWay > 0) this.busyAt = now;
    if (now - this.busyAt > REST_MS) this.begunAt = now;
    return Math.min(this.most, PLACES * (1 + Math.floor((now - this.begunAt) / STEP_MS)));
  }
}
