import { historyOf, type JobData, readJob, spentBefore } from '../retry/job';
import type { RetryStore } from '../retry/retry-store';
import { isFound, type StoredFilter } from './stored-filter';

/** A parked delivery without its body. */
export interface ParkedDelivery {
  readonly id: string;
  readonly destination: string;
  readonly event: string;
  readonly instance: string;
  /** Code of the last attempt, such as `HTTP_503`; `untried` where none was spent. */
  readonly reason: string;
  /** Attempts spent. */
  readonly attempts: number;
  /** When it was parked, epoch milliseconds. */
  readonly at: number;
  /** When its next attempt is due; undefined while it is due or under way, or behind others. */
  readonly dueAt: number | undefined;
  /** Others of its lane wait before it. */
  readonly isBehind: boolean;
  readonly bytes: number;
}

/** Stands for the code of an attempt that was not made yet. */
export const UNTRIED = 'untried';

const PAGE = 500;

type RawParked = readonly [
  id: string,
  at: string,
  data: string,
  attempts: string,
  due: string,
  destination: string,
  lastLine: string,
  isBehind: number,
];

/** What waits for its next attempt, as a person asks for it. */
export class ParkedDeliveries {
  constructor(private readonly store: RetryStore) {}

  /** Newest first, a page at a time: what is parked or delivered meanwhile may be missed, and holds nothing up. */
  async *list(filter: StoredFilter = {}): AsyncGenerator<ParkedDelivery> {
    let begin = '+inf';
    let seen = 0;
    for (;;) {
      const page = (await this.store.call('relayParked', begin, seen, PAGE)) as RawParked[];
      for (const raw of page) {
        const parked = parkedOf(raw);
        if (isFound(parked, filter)) yield parked;
      }
      const last = page.at(-1)?.[1];
      if (last === undefined || page.length < PAGE) return;
      const ofThatTime = page.filter(([, at]) => at === last).length;
      seen = last === begin ? seen + ofThatTime : ofThatTime;
      begin = last;
    }
  }
}

function parkedOf([id, at, text, attempts, due, destination, lastLine, behind]: RawParked): ParkedDelivery {
  const times = {
    at: Math.round(Number(at)) || 0,
    dueAt: due === '' ? undefined : Number(due),
    isBehind: behind === 1,
  };
  const record = readJob(text);
  if (record.kind !== 'job') {
    const odd = { event: '', instance: '', attempts: 0, bytes: text.length };
    return { id, destination, reason: `RECORD_${record.kind.toUpperCase()}`, ...odd, ...times };
  }
  const { data } = record;
  const { d, e, i, l } = data;
  const tried = spentBefore(data, undefined) + (Number(attempts) || 0);
  const reason = codeOf(data, lastLine);
  return { id, destination: d, event: e, instance: i, reason, attempts: tried, bytes: l, ...times };
}

function codeOf(data: JobData, lastLine: string): string {
  const outcome = historyOf(data, [lastLine]).at(-1)?.outcome;
  return outcome !== undefined && 'code' in outcome ? outcome.code : UNTRIED;
}
