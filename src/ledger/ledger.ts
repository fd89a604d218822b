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
  private timer: NodeJS.Timeout | undefined;
  private delayMs = FLUSH_MS;

  constructor(
    private readonly store: Pick<StoredCalls, 'step'>,
    private readonly commit: GroupCommit,
    /** The store was closed before it took them: the audit misses them on both sides. Must not throw. */
    private readonly onUncounted: (uncounted: Uncounted) => void,
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

  /** Rejects when the store was closed before it took the counts: both sides of the equation miss them. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { counts } = this;
    if (counts.size === 0) return;
    this.counts = new Map();
    this.delayMs = Math.min(FLUSH_MS_MAX, FLUSH_MS + counts.size * FLUSH_MS_PER_DESTINATION);
    const all = [...counts];
    const groups: Counts[] = [];
    for (let start = 0; start < all.length; start += AT_ONCE) groups.push(all.slice(start, start + AT_ONCE));
    const written = await Promise.allSettled(groups.map((group) => this.write(group)));
    const missing = groups.filter((_, index) => written[index]?.status === 'rejected').flat();
    if (missing.length > 0) this.onUncounted(uncountedOf(missing));
    for (const each of written) if (each.status === 'rejected') throw each.reason;
  }

  private write(group: Counts): Promise<unknown> {
    const args = group.flatMap(([id, { key, delivered, discarded }]) => [key, id, delivered, discarded]);
    const prepare = () => this.store.step('relayCount', args);
    return this.commit.commit({ bytes: args.length * 25, prepare });
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
