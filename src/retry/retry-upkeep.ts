import { Looks } from '../time/looks';
import type { StoredCalls } from './retry-store';

/** What became too old, by destination and event. */
export interface Expired {
  readonly destination: string;
  readonly event: string;
}

export interface RetryUpkeepParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  /** Deliveries parked for longer become dead letters; 0: never. */
  readonly parkedMaxAgeMs: number;
  /** What holds up its lane for longer becomes a dead letter. */
  readonly orderedMaxAgeMs: number;
  readonly onExpired: (expired: readonly Expired[]) => void;
  /** Retries were brought forward that a wrong clock had put off. */
  readonly onForward: (count: number) => void;
  /** Deliveries were placed again that a change which failed halfway through had left in no place, or in two. */
  readonly onMended: (count: number) => void;
  /** The audit's counters cannot be written: why, in the words of Redis. Called once for each reason. */
  readonly onUncounted: (reason: string) => void;
  readonly onError: (error: unknown) => void;
}

const INTERVAL_MS = 5_000;
/** A little less: of several workers one looks, once in each interval. */
const LEASE_MS = 4_500;
/** Looked at for due times that lie too far ahead: the latest ones, and as many lines. */
const FAR_AT_ONCE = 200;
/** Calls of one look for deliveries in no place: a million parked ones are gone through within ten minutes. */
const MEND_CALLS = 10;
/** Parked deliveries that one call gives up on: some milliseconds of Redis. */
const EXPIRE_AT_ONCE = 200;
/** And one look at most: the next one goes on. */
const EXPIRE_CALLS = 50;

/**
 * Looks after what is stored, at whichever worker: due times that a wrong clock wrote, deliveries in no place or in two,
 * deliveries parked for too long. Ages are found through an index, and what is in no place in windows of it, so a look costs
 * about the same with a million parked ones as with a thousand.
 */
export class RetryUpkeep {
  private readonly looks = new Looks(INTERVAL_MS, () => this.look());
  private uncounted = '';

  constructor(private readonly parts: RetryUpkeepParts) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  /** One look; nothing where another worker has just had one. */
  async look(): Promise<void> {
    const { store, parkedMaxAgeMs, orderedMaxAgeMs, onError, onForward } = this.parts;
    if (!store.isReady) return;
    try {
      const forward = (await store.call('relayBringForward', LEASE_MS, FAR_AT_ONCE)) as number;
      if (forward < 0) return;
      const more = await this.mend();
      if (forward + more > 0) onForward(forward + more);
      await this.expire('relayExpireLanes', orderedMaxAgeMs);
      if (parkedMaxAgeMs > 0) await this.expire('relayExpireParked', parkedMaxAgeMs);
    } catch (error) {
      onError(error);
    }
  }

  /** How many it found that were due too late. */
  private async mend(): Promise<number> {
    const { store, onMended, onUncounted } = this.parts;
    let total = 0;
    let forward = 0;
    for (let calls = 0; calls < MEND_CALLS; calls++) {
      const reply = await store.call('relayMend');
      const [mended, goesOn, uncounted, broughtForward] = reply as [number, number, string, number];
      total += mended;
      forward += broughtForward;
      if (uncounted !== '' && uncounted !== this.uncounted) onUncounted(uncounted);
      if (uncounted !== '') this.uncounted = uncounted;
      if (goesOn === 0) break;
    }
    if (total > 0) onMended(total);
    return forward;
  }

  private async expire(script: 'relayExpireLanes' | 'relayExpireParked', maxAgeMs: number): Promise<void> {
    const { store, onExpired } = this.parts;
    let stay = 0;
    for (let calls = 0; calls < EXPIRE_CALLS; calls++) {
      const reply = await store.call(script, maxAgeMs, EXPIRE_AT_ONCE, stay);
      const [seen, staying, gone] = reply as [number, number, readonly string[]];
      stay += staying;
      const expired = pairs(gone);
      if (expired.length > 0) onExpired(expired);
      if (seen < EXPIRE_AT_ONCE) return;
    }
  }
}

function pairs(flat: readonly string[]): Expired[] {
  return flat.flatMap((destination, index) =>
    index % 2 === 0 ? [{ destination, event: flat[index + 1] ?? '' }] : [],
  );
}
