import { fingerprint } from './fingerprint';
import type { LogFilter } from './log-filter';
import { type Found, scan } from './log-scan';
import type { LogStore } from './log-store';

/** Where a walk through the log begins and ends. */
export interface LogRange {
  /** Records that came later are left out. */
  readonly until: number;
  /** Of an earlier page; empty: from the first one. */
  readonly cursor: string;
  readonly size: number;
}

/** Some deliveries that match. */
export interface ReplayPage {
  readonly delivered: readonly Found[];
  /** Ids of deliveries that failed, were parked or given up on: what became of them, the store knows. */
  readonly others: readonly string[];
  /** Where the next page begins. */
  readonly cursor: string;
}

/** Deliveries that are remembered, so that each is replayed once; forty megabytes. */
const MOST_KNOWN = 1_000_000;
const SECOND_SEED = 0x9747b28c;

/** What can be delivered again of what matches, oldest first, a page at a time, however much there is. */
export async function* replayable(
  store: Pick<LogStore, 'chunks' | 'holding' | 'fields'>,
  filter: LogFilter,
  { until, cursor, size }: LogRange,
): AsyncGenerator<ReplayPage> {
  const bounded = { ...filter, until: Math.min(until, filter.until ?? until) };
  const [from = '', row = '-1'] = cursor.split(' ', 2);
  const known = new Known();
  let [delivered, others]: [Found[], string[]] = [[], []];
  let last = cursor;
  for await (const found of scan(store, bounded, { oldestFirst: true, from })) {
    if (found.chunk === from && found.row <= Number(row)) continue;
    last = `${found.chunk} ${found.row}`;
    if (!isWanted(found, filter) || !known.add(found)) continue;
    if (found.record.what === 'delivered') delivered.push(found);
    else others.push(found.record.id);
    if (delivered.length + others.length < size) continue;
    yield { delivered, others, cursor: last };
    [delivered, others] = [[], []];
  }
  if (delivered.length + others.length > 0) yield { delivered, others, cursor: last };
}

function isWanted({ record: { what, destination } }: Found, { outcome }: LogFilter): boolean {
  if (destination === '' || what === 'discarded') return false;
  return outcome === undefined || (outcome === 'delivered') === (what === 'delivered');
}

/** By 53 bits of each: a million ids would take three times the memory. */
class Known {
  private readonly prints = new Set<number>();

  /** False where it was there; of a delivered one its failures before are something else. */
  add({ record: { id, what } }: Found): boolean {
    const seed = what === 'delivered' ? SECOND_SEED : SECOND_SEED + 1;
    const print = fingerprint(id) * 0x200000 + (fingerprint(id, seed) & 0x1fffff);
    if (this.prints.has(print)) return false;
    if (this.prints.size >= MOST_KNOWN) this.prints.clear();
    this.prints.add(print);
    return true;
  }
}
