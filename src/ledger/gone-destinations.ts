import { type DestinationId, destinationKey } from '../pipeline/delivery';
import type { StoredCalls } from '../retry/retry-store';
import { Looks } from '../time/looks';

/** In the audit: destinations that are no more, all together. */
export const GONE = 'removed' as DestinationId;

export interface GoneDestinationsParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  /** Rejects where that cannot be known. */
  readonly isThere: (id: DestinationId) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

const LOOK_MS = 60_000;
/** This many more than were left last time are worth going through all of them, */
const GROWN_BY = 200;
/** but no more often than this: settings of all instances are read for it. */
const APART_MS = 600_000;

/**
 * Names and counters of destinations that are no more would stay for ever, and whoever makes and removes webhooks would fill
 * Redis with them: they become one line of the audit, which balances as before.
 */
export class GoneDestinations {
  private readonly looks = new Looks(LOOK_MS, () => this.look().catch(this.parts.onError));

  constructor(private readonly parts: GoneDestinationsParts) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  /** One look; nothing where it is not worth one, or another worker has just had it. */
  async look(): Promise<void> {
    const { store } = this.parts;
    if (!store.isReady || (await store.call('relayGoneTurn', GROWN_BY, APART_MS)) !== 1) return;
    let cursor = '0';
    do {
      const [next, found] = (await store.call('relaySomeDestinations', cursor)) as [string, string[]];
      const gone = await this.goneOf(found);
      if (gone.length > 0) await store.call('relayGone', destinationKey(GONE), GONE, ...gone);
      cursor = next;
    } while (cursor !== '0' && !this.looks.isStopped);
    if (!this.looks.isStopped) await store.call('relayGoneDone');
  }

  /** Keys of those that are no more, of keys and ids one after the other. */
  private async goneOf(found: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (let index = 0; index + 1 < found.length && !this.looks.isStopped; index += 2) {
      const [key = '', id = ''] = found.slice(index, index + 2);
      // Events that could never be delivered are no destination's.
      if (id.includes(':') && !(await this.parts.isThere(id as DestinationId))) gone.push(key);
    }
    return gone;
  }
}
