import { monotonicMs } from '../time/monotonic';

/** Places at first, and added after each step. */
const PLACES = 16;
const STEP_MS = 250;
/** Without any retry for this long the next ones are the first. */
const REST_MS = 1000;
/** While fresh deliveries come, and for this long afterwards, this part of the places is left free. */
const FOR_FRESH = { part: 0.2, ms: 1000 };

/**
 * Places for retries, so that a backlog that comes due at once does not keep fresh deliveries waiting: they are given out little by little,
 * as code that did not run for a while takes several times as long at first, and never all of them while something else comes.
 */
export class Ramp {
  private begunAt = Number.NEGATIVE_INFINITY;
  private busyAt = Number.NEGATIVE_INFINITY;

  /**
   * @param most places in the end
   * @param freshAt when a fresh delivery came last, by the monotonic clock
   */
  constructor(
    private readonly most: number,
    private readonly freshAt: () => number,
  ) {}

  /** @param underWay retries of this moment */
  places(underWay: number): number {
    const now = monotonicMs();
    if (underWay > 0) this.busyAt = now;
    if (now - this.busyAt > REST_MS) this.begunAt = now;
    const isShared = now - this.freshAt() < FOR_FRESH.ms;
    const most = isShared ? Math.ceil(this.most * (1 - FOR_FRESH.part)) : this.most;
    return Math.min(most, PLACES * (1 + Math.floor((now - this.begunAt) / STEP_MS)));
  }
}
