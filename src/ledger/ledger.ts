import { type Delivery, type DestinationId, destinationKeyOf } from '../pipeline/delivery';
import type { GroupCommit } from '../retry/group-commit';
import type { StoredCalls } from '../retry/retry-store';

const FLUSH_MS = 1000;
/** Each destination costs Redis a step: with thousands of them they are added up for longer. */
const FLUSH_MS_PER_DESTINATION = 0.5;
const FLUSH_MS_MAX = 10_000;
/** Destinations counted by one step: more would keep Redis from others. */
const AT_ONCE = 500;
/** Destinations that are named, the largest first. */
const MAX_NAMED = 20;

interface Count {
  readonly key: string;
  delivered: number;
  discarded: number;
}
type Counts = readonly (readonly [id: DestinationId, count: Count])[];

/** What was not added to the audit's counters, or perhaps not: by destination, and in all. */
export interface Uncounted {
  readonly delivered: number;
  readonly discarded: number;
  readonly destinations: Readonly<Record<string, number>>;
}

/**
 * Counts deliveries that were confirmed, or found needless, while their source message was held, and adds them to the
 * audit's counters, mostly once a second: both sides of the equation together, so that a kill in between loses both or
 * neither and the audit's equation still holds.
 */
export class Ledger {
  private counts = new Map<DestinationId, Count>();
  /** On their way into the store. */
  private readonly writing = new Map<Counts, Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private delayMs = FLUSH_MS;

  constructor(
    private readonly store: Pick<StoredCalls, 'step'>,
    private readonly commit: GroupCommit,
  ) {}

  countDelivered(deliveries: readonly Delivery[]): void {
    this.count(deliveries, 'delivered');
  }

  countDiscarded(deliveries: readonly Delivery[]): void {
    this.count(deliveries, 'discarded');
  }

  private count(deliveries: readonly Delivery[], how: 'delivered' | 'discarded'): void {
    for (const { id, destination } of deliveries) {
      let entry = this.counts.get(destination.id);
      if (entry === undefined) {
        entry = { key: destinationKeyOf(id), delivered: 0, discarded: 0 };
        this.counts.set(destination.id, entry);
      }
      entry[how]++;
    }
    if (this.counts.size > 0)
      this.timer ??= setTimeout(() => void this.flush().catch(() => {}), this.delayMs);
  }

  /** What was given and is not known to be added; undefined where there is none. */
  get uncounted(): Uncounted | undefined {
    const missing = [...[...this.writing.keys()].flat(), ...this.counts];
    return missing.length === 0 ? undefined : uncountedOf(missing);
  }

  /** Resolves once all that was given is added. Rejects when the store was closed before it took everything. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const all = [...this.counts];
    this.counts = new Map();
    if (all.length > 0)
      this.delayMs = Math.min(FLUSH_MS_MAX, FLUSH_MS + all.length * FLUSH_MS_PER_DESTINATION);
    for (let start = 0; start < all.length; start += AT_ONCE) this.write(all.slice(start, start + AT_ONCE));
    // Those of earlier calls, too.
    await Promise.all(this.writing.values());
  }

  /** Where the store was closed, its counts stay among those that are missing. */
  private write(group: Counts): void {
    const args = group.flatMap(([id, { key, delivered, discarded }]) => [key, id, delivered, discarded]);
    const prepare = () => this.store.step('relayCount', args);
    const written = this.commit.commit({ bytes: args.length * 25, prepare }).then(() => {
      this.writing.delete(group);
    });
    written.catch(() => {});
    this.writing.set(group, written);
  }
}

function uncountedOf(counts: Counts): Uncounted {
  const sum = (of: 'delivered' | 'discarded') => counts.reduce((all, [, entry]) => all + entry[of], 0);
  const largest = [...counts].sort(([, a], [, b]) => b.delivered + b.discarded - a.delivered - a.discarded);
  const named = largest.slice(0, MAX_NAMED).map(([id, each]) => [id, each.delivered + each.discarded]);
  return {
    delivered: sum('delivered'),
    discarded: sum('discarded'),
    destinations: Object.fromEntries(named),
  };
}
