import { LRUCache } from 'lru-cache';
import { Backoff } from '../time/backoff';
import { monotonicMs } from '../time/monotonic';

interface Pause {
  readonly backoff: Backoff;
  until: number;
}

const MAX_INSTANCES = 10_000;
const PAUSE_FIRST_MS = 5_000;
/** How long a mended instance may wait for its retries. */
const PAUSE_LAST_MS = 60_000;

/** Instances whose settings cannot be read: their retries wait, longer each time, without asking again for each of them. */
export class UnreadableInstances {
  private readonly pauses = new LRUCache<string, Pause>({ max: MAX_INSTANCES });

  /** @param onUnreadable called once, until the instance is readable again */
  constructor(private readonly onUnreadable: (instance: string, error: unknown) => void) {}

  /** Milliseconds during which the instance is not to be asked for; 0: it may be. */
  pausedFor(instance: string): number {
    const pause = this.pauses.get(instance);
    return pause === undefined ? 0 : Math.max(0, pause.until - monotonicMs());
  }

  /** Its settings could not be read; how long to wait, milliseconds. */
  failed(instance: string, error: unknown): number {
    let pause = this.pauses.get(instance);
    if (pause === undefined) {
      const backoff = new Backoff({ firstMs: PAUSE_FIRST_MS, lastMs: PAUSE_LAST_MS });
      pause = { backoff, until: 0 };
      this.pauses.set(instance, pause);
      this.onUnreadable(instance, error);
    }
    const left = this.pausedFor(instance);
    // Several of one instance that found out together lengthen its pause once.
    if (left > 0) return left;
    const pauseMs = pause.backoff.next();
    pause.until = monotonicMs() + pauseMs;
    return pauseMs;
  }

  readable(instance: string): void {
    this.pauses.delete(instance);
  }
}
