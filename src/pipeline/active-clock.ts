import { monotonicMs } from '../time/monotonic';

/** Gaps longer than this between two readings of the clock are the process's own, not the destinations'. */
const STALL_MS = 100;

/**
 * Milliseconds that leave out the time in which this process did not run: a collection, a busy machine, a paused
 * container. Answers that lie in the socket meanwhile are neither slow nor late. Only differences mean anything; the
 * clock must be read at least every `STALL_MS` while they matter.
 */
export class ActiveClock {
  private stalledMs = 0;
  private lastReading = monotonicMs();

  now(): number {
    const reading = monotonicMs();
    const gap = reading - this.lastReading;
    if (gap > STALL_MS) this.stalledMs += gap - STALL_MS;
    this.lastReading = reading;
    return reading - this.stalledMs;
  }
}
