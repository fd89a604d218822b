import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../time/monotonic';

/** By then a server that was replaced while it stood still has heard of it, and refuses. */
const DOUBT_MS = 2000;

/**
 * Whether answers may come from a server that is no longer the right one: one that stood still for a while goes on where it
 * stopped, and takes writes that nobody will ever see, until it hears that another has taken its place.
 */
export class Doubt {
  private until = 0;

  raise(): void {
    this.until = monotonicMs() + DOUBT_MS;
  }

  get isRaised(): boolean {
    return monotonicMs() < this.until;
  }

  /** Resolves when it is time to ask again. */
  async over(): Promise<void> {
    await delay(Math.max(0, this.until - monotonicMs()) + 1);
  }
}
