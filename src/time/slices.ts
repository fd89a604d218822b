import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs } from './monotonic';

/** How long work may hold the event loop before others get their turn. */
const SLICE_MS = 10;

/** Splits long work without a wait of its own into slices, so that it never holds the event loop up. */
export class Slices {
  private begunAt = monotonicMs();

  /** To be awaited between two steps of the work; it only lets others go first once the slice is used up. */
  async pause(): Promise<void> {
    if (monotonicMs() - this.begunAt < SLICE_MS) return;
    await nextTurn();
    this.begunAt = monotonicMs();
  }
}
