import type { Subscriptions } from '../redis/subscriber';
import { Looks } from '../time/looks';
import type { RetryStore, StoredCalls } from './retry-store';

export interface PresenceParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'> & Pick<RetryStore, 'prefix'>;
  readonly subscriptions: Pick<Subscriptions, 'subscribe'>;
  /** Of this process alone. */
  readonly worker: string;
  /** Deliveries whose requests were under way at workers that are gone are due. */
  readonly onFreed: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

const SAY_MS = 2500;
/** As long as a lock lasts (worker/retries.ts): six times in a row it could not say so. */
export const GONE_MS = 15_000;
/** Deliveries that one call makes due: some milliseconds of Redis. */
const FREE_AT_ONCE = 200;
/** And one look at most: the next one goes on. */
const FREE_CALLS = 50;

/**
 * Says that this worker is there, and makes due what was under way at workers that are gone. A slow request goes on while its
 * delivery waits in the store until the request's time limit is over; where its process was killed nobody waits for that.
 */
export class Presence {
  private readonly looks = new Looks(SAY_MS, () => this.say());

  constructor(private readonly parts: PresenceParts) {}

  start(): void {
    const { store, subscriptions, worker } = this.parts;
    // Where Redis is away it is subscribed once it is back.
    subscriptions.subscribe(`${store.prefix}:present:${worker}`).catch(() => {});
    this.looks.start();
    this.looks.soon();
  }

  /** Once nothing is under way. */
  stop(): Promise<void> {
    return this.looks.stop();
  }

  private async say(): Promise<void> {
    const { store, worker, onFreed, onError } = this.parts;
    if (!store.isReady) return;
    let total = 0;
    try {
      for (let calls = 0; calls < FREE_CALLS; calls++) {
        const reply = await store.call('relayPresent', worker, GONE_MS, FREE_AT_ONCE);
        const [freed, isMore] = reply as [number, number];
        total += freed;
        if (isMore === 0) break;
      }
    } catch (error) {
      onError(error);
    }
    if (total > 0) onFreed(total);
  }
}
