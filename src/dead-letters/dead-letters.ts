import type { Job } from 'bullmq';
import { filterKey, findKey } from '../events/catalogue';
import {
  type AttemptRecord,
  DESTINATION_KEY_LENGTH,
  type DeliveryId,
  destinationKeyOf,
} from '../pipeline/delivery';
import { bodyOf, historyOf, type JobData } from '../retry/job';
import type { RetryStore } from '../retry/retry-store';

/** A dead letter without its body. */
export interface DeadLetter {
  readonly id: DeliveryId;
  readonly destination: string;
  readonly event: string;
  readonly instance: string;
  readonly reason: string;
  /** What was wrong with a malformed message. */
  readonly detail?: string;
  /** When it was given up on, epoch milliseconds. */
  readonly at: number;
  readonly bytes: number;
}

export interface DeadLetterDetails extends DeadLetter {
  readonly history: readonly AttemptRecord[];
  readonly body: Buffer;
}

/** Times are epoch milliseconds, inclusive. */
export interface DeadLetterFilter {
  readonly instance?: string;
  readonly event?: string;
  readonly destination?: string;
  readonly reason?: string;
  readonly since?: number;
  readonly until?: number;
}

export type ReplayResult = 'replayed' | 'malformed' | 'not-found';

const PAGE = 100;
const EXPIRE_AT_ONCE = 1000;

/** The dead letters: BullMQ's failed jobs of the retry queue. */
export class DeadLetters {
  constructor(private readonly store: RetryStore) {}

  /** Newest first. */
  async *list(filter: DeadLetterFilter = {}): AsyncGenerator<DeadLetter> {
    // Read the ids first: what is replayed or removed meanwhile would shift the pages.
    const ids = await this.store.queue.getRanges(['failed'], 0, -1, false);
    for (let start = 0; start < ids.length; start += PAGE) {
      const jobs = await Promise.all(ids.slice(start, start + PAGE).map((id) => this.store.queue.getJob(id)));
      for (const job of jobs) {
        if (job !== undefined && matches(job, filter)) yield summaryOf(job);
      }
    }
  }

  async show(id: string): Promise<DeadLetterDetails | undefined> {
    const job = await this.find(id);
    if (job === undefined) return undefined;
    const { logs } = await this.store.queue.getJobLogs(id);
    return { ...summaryOf(job), history: historyOf(job.data, logs), body: await bodyOf(job.data) };
  }

  /** Parks a dead letter again with all its attempts before it; the delivery keeps its id. */
  async replay(id: string): Promise<ReplayResult> {
    const job = await this.find(id);
    if (job === undefined) return 'not-found';
    if (job.data.x === 'malformed') return 'malformed';
    const { x: _reason, ...data } = job.data;
    await job.updateData({ ...data, n: 0 });
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    return 'replayed';
  }

  /** Removes a dead letter for good; false where there is none of that id. */
  async remove(id: string): Promise<boolean> {
    const { store } = this;
    const key = destinationKeyOf(id as DeliveryId);
    const args = [store.key('audit'), store.jobKey(id), store.queue.toKey('failed'), key, id];
    return (await store.run('relayDiscard', args)) === 1;
  }

  count(): Promise<number> {
    return this.store.queue.getFailedCount();
  }

  /** Removes what is older than `maxAgeMs`, and the oldest beyond `maxCount`; how many those were. */
  async expire(maxAgeMs: number, maxCount: number, now: number): Promise<number> {
    const { store } = this;
    let expired = 0;
    for (;;) {
      const count = await store.run('relayExpire', [
        store.key('audit'),
        store.queue.toKey('failed'),
        store.queue.toKey(''),
        DESTINATION_KEY_LENGTH,
        now - maxAgeMs,
        maxCount,
        EXPIRE_AT_ONCE,
      ]);
      expired += Number(count);
      if (Number(count) < EXPIRE_AT_ONCE) return expired;
    }
  }

  private async find(id: string): Promise<Job<JobData> | undefined> {
    const job = await this.store.queue.getJob(id);
    return job !== undefined && (await job.isFailed()) ? job : undefined;
  }
}

function summaryOf(job: Job<JobData>): DeadLetter {
  const { d, e, i, l, m } = job.data;
  return {
    id: job.id as DeliveryId,
    destination: d,
    event: e,
    instance: i,
    reason: job.failedReason ?? '',
    ...(m === undefined ? {} : { detail: m }),
    at: job.finishedOn ?? 0,
    bytes: l,
  };
}

function matches(job: Job<JobData>, filter: DeadLetterFilter): boolean {
  const letter = summaryOf(job);
  return (
    (filter.instance === undefined || letter.instance === filter.instance) &&
    (filter.event === undefined || filterKey(letter.event) === wantedKey(filter.event)) &&
    (filter.destination === undefined || letter.destination === filter.destination) &&
    (filter.reason === undefined || [letter.reason, letter.detail].includes(filter.reason)) &&
    (filter.since === undefined || letter.at >= filter.since) &&
    (filter.until === undefined || letter.at <= filter.until)
  );
}

/** Filters take `messages.upsert` and `MESSAGES_UPSERT` alike. */
function wantedKey(event: string): string {
  return findKey(event)?.key ?? filterKey(event);
}
