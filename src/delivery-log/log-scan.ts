import { Slices } from '../time/slices';
import { NEWEST_FIRST, type Order, slicesOf } from './chunk-slices';
import { ChunkView } from './chunk-view';
import { storedRows } from './log-blocks';
import { type Clue, cluesOf, type LogFilter, type LoggedOutcome, matches } from './log-filter';
import { endOf, HAPPENINGS, type Happening, type LogRecord } from './log-record';
import { FIRST, WHAT_MASK, WITH_BODY } from './log-segment';
import { AT_ONCE, type Field, type LogStore } from './log-store';
import { mergedRows } from './merged-rows';
import type { StoredRows } from './packed-rows';

/** A record, and where it lies. */
export interface Found {
  readonly chunk: string;
  readonly row: number;
  readonly record: LogRecord;
  /** Nothing older was logged of its delivery. */
  readonly isFirst: boolean;
  readonly hasBody: boolean;
}

/** Rows of a chunk that may match. */
interface Rows {
  readonly chunk: string;
  /** The newest first. */
  readonly rows: readonly number[];
  /** When each of them was written, in seconds, as near as the log knows it. Empty where it does not matter. */
  readonly times: readonly number[];
  readonly happenings: Buffer;
}

type Store = Pick<LogStore, 'chunks' | 'holding' | 'fields'>;

/** Deliveries that Redis looks for itself: with more of them it is quicker to read the column. */
const FEW_DELIVERIES = 8;
/** Chunks that are read for their records by one call, where each holds a few. */
const READ_AT_ONCE = 8;
const NOTHING = Buffer.alloc(0);
const OUTCOME_OF: Readonly<Record<Happening, LoggedOutcome>> = {
  delivered: 'delivered',
  discarded: 'discarded',
  dead: 'dead',
  failed: 'parked',
  rejected: 'parked',
  interrupted: 'parked',
  parked: 'parked',
};

export function outcomeOf(what: Happening): LoggedOutcome {
  return OUTCOME_OF[what];
}

/**
 * The records that match, the newest first. Columns decide which chunks are read at all; what they cannot tell apart is
 * compared with the record itself. However much is searched, a few megabytes are held at a time.
 */
export async function* scan(
  store: Store,
  filter: LogFilter,
  order: Order = NEWEST_FIRST,
): AsyncGenerator<Found> {
  for await (const hits of candidates(store, filter, order))
    yield* order.oldestFirst ? chunkByChunk(store, hits, filter) : newestFirst(store, hits, filter);
}

async function* chunkByChunk(store: Store, hits: readonly Rows[], filter: LogFilter): AsyncGenerator<Found> {
  const batch: Rows[] = [];
  let held = 0;
  for (const rows of hits) {
    batch.push(rows);
    held += rows.rows.length;
    if (batch.length < READ_AT_ONCE && held < AT_ONCE) continue;
    yield* read(store, batch.splice(0), filter);
    held = 0;
  }
  yield* read(store, batch, filter);
}

/** Workers fill their chunks at the same time: what is newest lies in several of them. */
async function* newestFirst(store: Store, hits: readonly Rows[], filter: LogFilter): AsyncGenerator<Found> {
  for (const batch of mergedRows(hits, READ_AT_ONCE, AT_ONCE)) {
    const found: Found[] = [];
    for await (const each of read(store, batch, filter)) found.push(each);
    // Columns have seconds; records have milliseconds.
    yield* found.sort((a, b) => endOf(b.record) - endOf(a.record));
  }
}

/** All records of these deliveries, in no order. */
export async function recordsOf(
  store: Store,
  ids: ReadonlySet<string>,
  prints: ReadonlySet<number>,
): Promise<Found[]> {
  const found: Found[] = [];
  const names = ['what', 'delivery'] as const;
  const view = new ChunkView(names);
  const clues = prints.size > FEW_DELIVERIES ? [] : [{ columns: ['delivery'] as const, values: [...prints] }];
  const wanted = { clues, unusual: false };
  for await (const slice of slicesOf(store, { names, wanted, order: NEWEST_FIRST, filter: {} })) {
    const hits = slice.flatMap(({ chunk, columns }) => {
      view.load(columns);
      const rows: number[] = [];
      for (let row = 0; row < view.rows; row++) if (prints.has(view.at('delivery', row))) rows.push(row);
      return hitOf(chunk, rows, view);
    });
    for await (const each of read(store, hits, {})) if (ids.has(each.record.id)) found.push(each);
  }
  return found;
}

/** Of some hundred chunks at a time. */
async function* candidates(store: Store, filter: LogFilter, order: Order): AsyncGenerator<Rows[]> {
  const clues = cluesOf(filter);
  // Records of the end of a delivery do not name its message: there the whole delivery decides.
  const isByOutcome =
    !order.oldestFirst &&
    filter.outcome !== undefined &&
    [filter.message, filter.chat, filter.reason].every((each) => each === undefined);
  const latest = isByOutcome ? new LatestRecords(filter.outcome) : undefined;
  const names = fieldsFor(filter, clues, order);
  const view = new ChunkView(names);
  const wanted = {
    clues,
    unusual: filter.reason !== undefined || (latest !== undefined && filter.outcome !== 'delivered'),
  };
  for await (const slice of slicesOf(store, { filter, wanted, names, order })) {
    const hits: Rows[] = [];
    for (const { chunk, columns } of slice) {
      view.load(columns);
      const rows = rowsOf({ view, clues, filter, latest });
      if (order.oldestFirst) hits.push(...hitOf(chunk, [...rows].reverse(), view));
      else hits.push(...hitOf(chunk, rows, view, timesOf(view, rows)));
    }
    yield hits;
  }
}

function hitOf(
  chunk: string,
  rows: readonly number[],
  { happenings }: ChunkView,
  times: readonly number[] = [],
): Rows[] {
  return rows.length === 0 ? [] : [{ chunk, rows, times, happenings }];
}

/** Records are written when their attempts end, and say when these began: the latest beginning so far is near the time of writing. */
function timesOf(view: ChunkView, rows: readonly number[]): number[] {
  const times: number[] = [];
  const column = view.column('at');
  let latest = 0;
  let next = 0;
  for (let place = rows.length - 1; place >= 0; place--) {
    const row = rows[place] ?? 0;
    for (; next <= row; next++) latest = Math.max(latest, column.at(next));
    times[place] = latest;
  }
  return times;
}

function fieldsFor(filter: LogFilter, clues: readonly Clue[], { oldestFirst }: Order): Field[] {
  const isTimed = !oldestFirst || filter.since !== undefined || filter.until !== undefined;
  return [
    ...new Set<Field>([
      'what',
      ...clues.flatMap(({ columns }) => columns),
      ...(isTimed ? (['at'] as const) : []),
      ...(filter.outcome !== undefined && !oldestFirst ? (['delivery'] as const) : []),
    ]),
  ];
}

interface Choice {
  readonly view: ChunkView;
  readonly clues: readonly Clue[];
  readonly filter: LogFilter;
  readonly latest: LatestRecords | undefined;
}

function rowsOf({ view, clues, filter: { since, until, reason }, latest }: Choice): readonly number[] {
  let rows: number[] | undefined;
  for (const { columns, values } of clues) {
    rows = view.rowsOf(columns, values, rows);
    if (rows.length === 0) return rows;
  }
  rows ??= view.allRows();
  if (since !== undefined || until !== undefined) {
    const [from, to] = [Math.floor((since ?? 0) / 1000), (until ?? Number.MAX_SAFE_INTEGER) / 1000];
    rows = rows.filter((row) => view.at('at', row) >= from && view.at('at', row) <= to);
  }
  // What was delivered has none.
  if (reason !== undefined) rows = rows.filter((row) => whatAt(view, row) !== 'delivered');
  if (latest === undefined) return rows;
  return rows.filter((row) =>
    latest.isWanted(view.at('delivery', row), view.at('at', row), view.happenings[row] ?? 0),
  );
}

function whatAt({ happenings }: ChunkView, row: number): Happening | undefined {
  return HAPPENINGS[(happenings[row] ?? 0) & WHAT_MASK];
}

/** Knows of which deliveries something newer was seen, so that what was parked once and is delivered does not count as parked. */
class LatestRecords {
  private readonly seen = new Map<number, number>();

  constructor(private readonly wanted: LoggedOutcome | undefined) {}

  isWanted(delivery: number, second: number, happening: number): boolean {
    const newer = this.seen.get(delivery);
    if (newer !== undefined && newer >= second) return false;
    const what = HAPPENINGS[happening & WHAT_MASK];
    const outcome = what === undefined ? undefined : OUTCOME_OF[what];
    // It may have been delivered before that was said: a slow attempt, or one by the clock of another worker. The whole delivery tells.
    const isOpen = outcome === 'parked' && this.wanted === 'delivered';
    if ((happening & FIRST) === 0 && !isOpen) this.seen.set(delivery, second);
    return outcome === this.wanted || (this.wanted === 'unknown' && outcome === 'parked');
  }
}

async function* read(store: Store, hits: readonly Rows[], filter: LogFilter): AsyncGenerator<Found> {
  const slices = new Slices();
  for (const batch of batchesOf(hits)) {
    const names = [...new Set(batch.map(({ chunk }) => chunk))];
    const blocks = await store.fields(names, ['lines']);
    const stored = await Promise.all(blocks.map(([block = NOTHING]) => storedRows(block)));
    const rows = new Map(names.map((name, index) => [name, stored[index]]));
    for (const hit of batch) {
      yield* foundIn(hit, rows.get(hit.chunk), filter);
      await slices.pause();
    }
  }
}

/** Rows of so few chunks that their blocks can be held at once. */
function* batchesOf(hits: readonly Rows[]): Generator<Rows[]> {
  let batch: Rows[] = [];
  const chunks = new Set<string>();
  for (const hit of hits) {
    if (chunks.size === READ_AT_ONCE && !chunks.has(hit.chunk)) {
      yield batch;
      batch = [];
      chunks.clear();
    }
    batch.push(hit);
    chunks.add(hit.chunk);
  }
  if (batch.length > 0) yield batch;
}

function* foundIn(
  { chunk, rows, happenings }: Rows,
  stored: StoredRows | undefined,
  filter: LogFilter,
): Generator<Found> {
  for (const row of rows) {
    const record = stored?.at(row);
    if (record === undefined || !matches(record, filter)) continue;
    const happening = happenings[row] ?? 0;
    const isFirst = (happening & FIRST) !== 0;
    yield { chunk, row, record, isFirst, hasBody: (happening & WITH_BODY) !== 0 };
  }
}
