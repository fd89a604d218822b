import type { AttemptRecord, DeliveryId } from '../pipeline/delivery';
import { bodyOf, historyOf, type JobData, readJob } from '../retry/job';
import type { RetryStore } from '../retry/retry-store';
import { isFound, type StoredFilter } from './stored-filter';

/** A dead letter without its body. */
export interface DeadLetter {
  readonly id: DeliveryId;
  readonly destination: string;
  readonly event: string;
  readonly instance: string;
  readonly reason: string;
  /** What was wrong with a malformed message, or with the record of a dead letter. */
  readonly detail?: string;
  /** When it was given up on, epoch milliseconds. */
  readonly at: number;
  readonly bytes: number;
}

export interface DeadLetterDetails extends DeadLetter {
  readonly history: readonly AttemptRecord[];
  readonly body: Buffer;
}

export type DeadLetterFilter = StoredFilter;

/** Where a walk through all dead letters begins and ends. */
export interface DeadLetterRange {
  readonly filter: DeadLetterFilter;
  readonly until: number;
  /** Of an earlier page; empty: from the first one. */
  readonly cursor: string;
  readonly size: number;
}

export interface DeadLetterPage {
  /** Those that match. */
  readonly letters: readonly DeadLetter[];
  /** Dead letters looked at. */
  readonly seen: number;
  /** Where the next page begins. */
  readonly cursor: string;
}

export type ReplayResult = 'replayed' | 'malformed' | 'not-found';

const PAGE = 100;
const EXPIRE_AT_ONCE = 1000;
/** The detail of a dead letter whose record nobody of this version can read. */
export const UNREADABLE_LETTERS = {
  newer: 'RECORD_OF_A_LATER_VERSION',
  unreadable: 'RECORD_UNREADABLE',
} as const;

type RawLetter = readonly [] | readonly [data: string, reason: string, at: string, destination: string];

/** A dead letter as it lies in Redis; `data` only where its record can be read. */
interface Found {
  readonly letter: DeadLetter;
  readonly text: string;
  readonly data?: JobData;
}

/** The dead letters: BullMQ's failed jobs of the retry queue. */
export class DeadLetters {
  constructor(private readonly store: RetryStore) {}

  /** Newest first. One that cannot be read is listed as such, and hides no other. */
  async *list(filter: DeadLetterFilter = {}): AsyncGenerator<DeadLetter> {
    // Read the ids first: what is replayed or removed meanwhile would shift the pages.
    const ids = await this.store.queue.getRanges(['failed'], 0, -1, false);
    for (let start = 0; start < ids.length; start += PAGE) {
      for (const found of await this.read(ids.slice(start, start + PAGE))) {
        if (found !== undefined && isFound(found.letter, filter)) yield found.letter;
      }
    }
  }

  /** Oldest first, a page at a time, however many there are; those that came after `until` are left out. */
  async *pages({ filter, until, cursor, size }: DeadLetterRange): AsyncGenerator<DeadLetterPage> {
    let [from = '', after = ''] = (cursor || '0').split(' ', 2);
    for (;;) {
      const flat = (await this.store.call('relayDeadPage', from, after, until, size)) as string[];
      const ids = flat.filter((_, index) => index % 2 === 0);
      if (ids.length === 0) return;
      [after = '', from = ''] = flat.slice(-2);
      const letters = (await this.read(ids)).flatMap((found) =>
        found !== undefined && isFound(found.letter, filter) ? [found.letter] : [],
      );
      yield { letters, seen: ids.length, cursor: `${from} ${after}` };
    }
  }

  async show(id: string): Promise<DeadLetterDetails | undefined> {
    const [found] = await this.read([id]);
    if (found === undefined) return undefined;
    const { letter, text, data } = found;
    if (data === undefined) return { ...letter, history: [], body: Buffer.from(text) };
    const { logs } = await this.store.queue.getJobLogs(id);
    // A body that cannot be unpacked is shown as it lies there: a person may still find something in it.
    const body = await bodyOf(data).catch(() => Buffer.from(data.b));
    return { ...letter, history: historyOf(data, logs), body };
  }

  /** Parks a dead letter again with all its attempts before it; the delivery keeps its id. */
  async replay(id: string): Promise<ReplayResult> {
    return (await this.store.call('relayReplay', id)) as ReplayResult;
  }

  /** Removes a dead letter for good; false where there is none of that id. */
  async remove(id: string): Promise<boolean> {
    return (await this.store.call('relayDiscard', id)) === 1;
  }

  count(): Promise<number> {
    return this.store.queue.getFailedCount();
  }

  /**
   * Removes what is older than `maxAgeMs`, and beyond `maxCount` the oldest of the owner that has most; returns how many those were.
   */
  async expire(maxAgeMs: number, maxCount: number): Promise<number> {
    let expired = 0;
    for (;;) {
      const count = Number(await this.store.call('relayExpire', maxAgeMs, maxCount, EXPIRE_AT_ONCE));
      expired += count;
      if (count < EXPIRE_AT_ONCE) return expired;
    }
  }

  private async read(ids: readonly string[]): Promise<(Found | undefined)[]> {
    const letters = (await this.store.call('relayLetters', ...ids)) as RawLetter[];
    return ids.map((id, index) => foundOf(id as DeliveryId, letters[index] ?? []));
  }
}

function foundOf(id: DeliveryId, raw: RawLetter): Found | undefined {
  if (raw.length === 0) return undefined;
  const [text, reason, at, destination] = raw;
  const record = readJob(text);
  const common = { id, reason, at: Math.round(Number(at)) || 0 };
  if (record.kind !== 'job') {
    const detail = UNREADABLE_LETTERS[record.kind];
    const odd = { event: '', instance: '', detail, bytes: text.length };
    return { letter: { ...common, destination, ...odd }, text };
  }
  const { d, e, i, l, m } = record.data;
  const detail = m === undefined ? {} : { detail: m };
  return {
    letter: { ...common, destination: d, event: e, instance: i, ...detail, bytes: l },
    text,
    data: record.data,
  };
}
