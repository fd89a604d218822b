/** Gaps longer than this between two looks at the clock are the process's own, not the destinations'. */
const STALL_MS = 100;

/**
 * Milliseconds that leave out the time in which this process did not run: a collection, a busy machine, a paused
 * container. Answers that lie in the socket meanwhile are neither slow nor late. Only differences mean anything;
 * something must look at it at least every `STALL_MS` while they matter.
 */
export class ActiveClock {
  private stalledMs = 0;
  private lastLook = Date.now();

  now(): number {
    const wall = Date.now();
    const gap = wall - this.lastLook;
    if (gap > STALL_MS || gap < 0) this.stalledMs += gap;
    this.lastLook = wall;
    return wall - this.stalledMs;
  }
}
