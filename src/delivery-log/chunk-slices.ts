import { setImmediate as nextTurn } from 'node:timers/promises';
import { Slices } from '../time/slices';
import type { LogFilter } from './log-filter';
import { AT_ONCE, type Field, type HeldChunk, type LogStore, type Wanted } from './log-store';

/** In which order chunks and rows are gone through. */
export interface Order {
  /** Single records then decide nothing about the outcome of their delivery. */
  readonly oldestFirst: boolean;
  /** A chunk; those before it are left out. Empty: none. */
  readonly from: string;
}

export const NEWEST_FIRST: Order = { oldestFirst: false, from: '' };

type Store = Pick<LogStore, 'chunks' | 'holding'>;

interface Asked {
  readonly filter: LogFilter;
  /** Chunks that do not hold it are left out. */
  readonly wanted: Wanted;
  /** Columns of the others. */
  readonly names: readonly Field[];
  readonly order: Order;
}

/**
 * Where this many of a slice hold what is wanted, the next slice is asked for only once it is needed: most searches end before, and
 * two such slices are not to be held.
 */
const MANY = AT_ONCE / 4;

/** Some hundred chunks at a time, those that hold what is wanted. Redis looks through the next ones while these are worked on. */
export async function* slicesOf(store: Store, asked: Asked): AsyncGenerator<readonly HeldChunk[]> {
  const chunks = await chunksOf(store, asked);
  const { wanted, names } = asked;
  const slices = new Slices();
  const ask = (start: number): Promise<readonly HeldChunk[]> =>
    store.holding(chunks.slice(start, start + AT_ONCE), wanted, names);
  let next: Promise<readonly HeldChunk[]> | undefined;
  for (let start = 0; start < chunks.length; start += AT_ONCE) {
    const found = await (next ?? ask(start));
    const following = start + AT_ONCE;
    next = undefined;
    if (following < chunks.length && found.length < MANY) {
      // What is found is read first.
      next = found.length === 0 ? ask(following) : nextTurn().then(() => ask(following));
      // Where the search ends before, nothing awaits it.
      next.catch(() => {});
    }
    if (found.length > 0) yield found;
    await slices.pause();
  }
}

async function chunksOf(store: Store, { filter, order }: Asked): Promise<readonly string[]> {
  const { since, until } = filter;
  const found = await store.chunks(since ?? 0, until ?? Number.MAX_SAFE_INTEGER);
  const inOrder = order.oldestFirst ? found.reverse() : found;
  if (order.from === '') return inOrder;
  const place = inOrder.indexOf(order.from);
  // Where the chunk is gone, those that follow it are known by their time.
  const from = timeOf(order.from);
  return place >= 0 ? inOrder.slice(place) : inOrder.filter((chunk) => timeOf(chunk) >= from);
}

function timeOf(chunk: string): number {
  return Number.parseInt(chunk.split('-', 1)[0] ?? '', 36) || 0;
}
