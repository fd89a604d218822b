import type { Rate } from '../pipeline/destination-limits';
import { RateWindow } from './rate-window';

/** Workers that there may be, while none has been heard of. */
const UNKNOWN_WORKERS = 4;

/** The part of a rate limit that is a worker's own while it cannot ask how much the others use. */
export class OwnShare {
  private readonly window: RateWindow;
  private workers = UNKNOWN_WORKERS;
  private latestAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly rate: Rate) {
    this.window = new RateWindow(rate.seconds * 1000);
  }

  /** Milliseconds between two permits of this worker. */
  get paceMs(): number {
    return (this.rate.seconds * 1000 * this.workers) / this.rate.count;
  }

  isOneOf(workers: number): void {
    this.workers = workers;
  }

  use(now: number): void {
    this.latestAt = now;
    this.window.use(now);
  }

  hasRoom(now: number): boolean {
    return this.waitMs(1, now) === 0;
  }

  /** How long it takes until `wanted` more are free. */
  waitMs(wanted: number, now: number): number {
    const count = Math.floor(this.rate.count / this.workers);
    // Less than one in each window.
    if (count === 0) return Math.max(0, this.latestAt + this.paceMs - now) + (wanted - 1) * this.paceMs;
    const room = count - this.window.usedUntil(now);
    if (wanted <= room) return 0;
    return this.window.nextMs(now) + (wanted - Math.max(0, room) - 1) * this.paceMs;
  }
}
