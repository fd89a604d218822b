import type { DestinationId } from '../pipeline/delivery';
import { Looks } from '../time/looks';
import { monotonicMs } from '../time/monotonic';
import { Pace } from '../time/pace';
import type { DueDelivery } from './retry-queue';
import type { RetryStore } from './retry-store';

export interface AddressRosterParts {
  readonly store: Pick<RetryStore, 'isReady' | 'call' | 'waitUntilReady'>;
  /** This worker's own, by id of the destination. */
  readonly own: ReadonlyMap<DestinationId, string>;
  /** Other workers have another address for it, or have one where this one has none. Reported once, until they agree. */
  readonly onDisagreement: (id: string) => void;
  /** No living worker has another address for it any more, as where a change of it is rolled out. */
  readonly onAgreement: (id: DestinationId) => void;
  readonly onError: (error: unknown) => void;
}

/** What Redis answered. */
interface Answer {
  /** By the clock of Redis. */
  readonly at: number;
  readonly living: ReadonlySet<string>;
}

const ANNOUNCE_MS = 5_000;
/** How long a worker counts as living after it was last heard of: what it parked is left to workers with its address. */
export const ADDRESS_LIVES_MS = 30_000;
/** An older set says nothing about which workers live. */
const SET_KEPT_MS = 600_000;
/** A delivery that is left to others is not fetched again before. */
const LEAVE_MS = 1_000;
/**
 * Those that are left together come back at this pace, large ones at that of as many small ones: a long line of them costs this
 * worker and Redis little, although each is fetched with its body.
 */
const LEFT = { burst: 100, intervalMs: 5 };
const LEFT_BYTES = 8192;
const LEFT_LONGEST_MS = 60_000;

/**
 * Knows which addresses the living workers have for the global destinations, so that while a change of one is rolled out
 * nobody sends a delivery that was parked for one address to the other. Costs one call every few seconds, and none for a
 * delivery.
 */
export class AddressRoster {
  private lastAnswer: Answer | undefined;
  private readonly told = new Set<string>();
  private readonly pace = new Pace(LEFT);
  private readonly looks = new Looks(ANNOUNCE_MS, () => this.announce());

  constructor(private readonly parts: AddressRosterParts) {}

  start(): void {
    this.looks.start();
    void this.parts.store.waitUntilReady().then(() => this.looks.soon());
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  /**
   * How long a parked delivery is left to the workers that have its address, milliseconds; 0 where it is this worker's: it
   * has the same address, or no living worker has.
   * @param address this worker's for the destination
   */
  leaveFor({ data: { d, a, b }, parkedAt }: DueDelivery, address: string | undefined): number {
    if (a === undefined || a === address) return 0;
    // The worker that parked it is alive, but this one may have read the roster before that.
    if (this.lastAnswer === undefined || this.lastAnswer.at <= parkedAt) this.looks.soon();
    else if (!this.lastAnswer.living.has(entry(d, a))) return 0;
    const now = monotonicMs();
    const waitMs = this.pace.waitMs(now);
    if (waitMs < LEFT_LONGEST_MS) this.pace.take(now, Math.max(1, b.length / LEFT_BYTES));
    return LEAVE_MS + Math.ceil(waitMs);
  }

  /** Says which addresses this worker has, and hears which the others have. */
  async announce(): Promise<void> {
    const { store, own, onError } = this.parts;
    if (!store.isReady) return;
    try {
      const entries = [...own].map(([id, address]) => entry(id, address));
      const reply = await store.call('relayAnnounce', ADDRESS_LIVES_MS, SET_KEPT_MS, ...entries);
      const [at, living] = reply as [number, readonly string[]];
      this.lastAnswer = { at, living: new Set(living) };
      this.compare(living);
    } catch (error) {
      onError(error);
    }
  }

  private compare(living: readonly string[]): void {
    const { own, onDisagreement, onAgreement } = this.parts;
    const others = addressesOf(living);
    for (const id of this.told) if (!others.has(id as DestinationId)) this.told.delete(id);
    for (const [id, addresses] of others) {
      const agrees = addresses.every((address) => address === own.get(id));
      if (agrees) {
        if (this.told.delete(id)) onAgreement(id);
      } else if (!this.told.has(id)) {
        this.told.add(id);
        onDisagreement(id);
      }
    }
  }
}

function entry(id: string, address: string): string {
  return `${id} ${address}`;
}

/** The addresses of each destination, of what Redis answered; a look without an address is none. */
export function addressesOf(entries: readonly string[]): ReadonlyMap<DestinationId, readonly string[]> {
  const all = new Map<DestinationId, string[]>();
  for (const each of entries) {
    const [id = '', address] = each.split(' ', 2);
    if (address === undefined) continue;
    all.set(id as DestinationId, [...(all.get(id as DestinationId) ?? []), address]);
  }
  return all;
}
