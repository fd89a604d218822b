import { randomBytes } from 'node:crypto';
import type { Worker } from 'bullmq';
import type { DeliveryId } from '../pipeline/delivery';
import { gapOf, type JobData, type JobRecord, readJob, recordOf, spentBefore } from './job';
import type { RetryStore, StoredCalls } from './retry-store';
import type { Held } from './stored-deliveries';

/** A delivery whose time has come, held by this worker until its lock runs out. */
export interface DueDelivery extends Held {
  readonly data: JobData;
  /** Attempts spent on it. */
  readonly spent: number;
  /** How often workers have taken it, this time included. */
  readonly timesTaken: number;
  /** By the clock of Redis. */
  readonly parkedAt: number;
  /** The one before it in its lane was given up on. */
  readonly laneGap?: DeliveryId;
}

/** A record that is due and cannot be delivered: see `readJob`. */
export interface OddRecord extends Held {
  readonly problem: 'newer' | 'unreadable';
}

export type Fetched =
  | { readonly kind: 'due'; readonly delivery: DueDelivery }
  | { readonly kind: 'odd'; readonly record: OddRecord };

/** What may be fetched now. */
export interface Outlook {
  /** How much of what is due fits. */
  readonly fit: number;
  /** Ids that were due and have no record: somebody removed it. */
  readonly missing: readonly string[];
  /** Milliseconds until more is due; undefined where nothing else is stored. */
  readonly nextInMs: number | undefined;
}

/** How much may be fetched. */
export interface Room {
  readonly deliveries: number;
  readonly bytes: number;
}

export interface RetryQueueParts {
  readonly store: Pick<StoredCalls, 'call'> & Pick<RetryStore, 'openWorker'>;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** BullMQ put back that many jobs of workers that are gone. */
  readonly onStalled: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * What this worker has of BullMQ: fetching and locking what is due, extending locks, and putting back what dead workers
 * held. It is asked and never blocks: a blocked call that a fail-over swallowed is noticed by nobody.
 */
export class RetryQueue {
  private readonly name = randomBytes(9).toString('base64url');
  private worker: Worker<unknown> | undefined;
  private fetches = 0;
  private stalled = 0;

  constructor(private readonly parts: RetryQueueParts) {}

  async outlook(room: Room): Promise<Outlook> {
    await this.open();
    const reply = await this.parts.store.call('relayNext', room.deliveries, room.bytes);
    const [nextInMs, fit, missing] = reply as [number, number, readonly string[]];
    return { fit, missing, nextInMs: nextInMs < 0 ? undefined : nextInMs };
  }

  /** The next one that is due, locked; undefined where another worker has it. A lost answer's lock runs out. */
  async fetch(): Promise<Fetched | undefined> {
    const worker = await this.open();
    const token = `${this.name}:${this.fetches++}`;
    try {
      const job = await worker.getNextJob(token, { block: false });
      if (job === undefined) return undefined;
      return fetchedOf({ id: job.id as DeliveryId, token }, recordOf(job.data), job);
    } catch (error) {
      return this.unreadable(token, error);
    }
  }

  /** Extends locks; those of `held` that are lost. */
  async extend(held: readonly Held[]): Promise<readonly Held[]> {
    const { store, lockMs } = this.parts;
    const worker = await this.open();
    const ids = held.map(({ id }) => id);
    const tokens = held.map(({ token }) => token);
    const lapsed = new Set(await worker.extendJobLocks(ids, tokens, lockMs));
    if (lapsed.size === 0) return [];
    // Locks that ran out while Redis was away, and that nobody took.
    const again = held.filter(({ id }) => lapsed.has(id)).flatMap(({ id, token }) => [id, token]);
    const lost = new Set((await store.call('relayHold', lockMs, ...again)) as string[]);
    return held.filter(({ id }) => lost.has(id));
  }

  async close(): Promise<void> {
    await this.worker?.close();
    this.worker = undefined;
  }

  /** What BullMQ locked and could not read: it would come back for ever. */
  private async unreadable(token: string, cause: unknown): Promise<Fetched> {
    const reply = await this.parts.store.call('relayHeldBy', token);
    const [id, data, attempts, options, taken] = reply as readonly string[];
    if (id === undefined) throw cause;
    return fetchedOf({ id: id as DeliveryId, token }, readJob(data ?? ''), {
      attemptsMade: Number(attempts),
      attemptsStarted: Number(taken),
      opts: options,
      timestamp: 0,
    });
  }

  /** BullMQ's worker is of no use any more once its first call has failed. */
  private async open(): Promise<Worker<unknown>> {
    const { store, lockMs, stalledCheckMs, onError } = this.parts;
    if (this.worker !== undefined) return this.worker;
    const worker = store.openWorker({ name: this.name, lockMs, stalledCheckMs });
    this.worker = worker;
    worker.on('error', onError);
    worker.on('stalled', () => this.countStalled());
    try {
      await worker.waitUntilReady();
      await worker.startStalledCheckTimer();
    } catch (error) {
      if (this.worker === worker) this.worker = undefined;
      void worker.close().catch(onError);
      throw error;
    }
    return worker;
  }

  /** They are told one by one, all in the same turn. */
  private countStalled(): void {
    if (this.stalled++ > 0) return;
    queueMicrotask(() => {
      this.parts.onStalled(this.stalled);
      this.stalled = 0;
    });
  }
}

/** What BullMQ knows of a job beside its data. */
type JobFields = Readonly<
  Record<'attemptsMade' | 'attemptsStarted' | 'timestamp', number> & { opts: unknown }
>;

function fetchedOf(held: Held, record: JobRecord, fields: JobFields): Fetched {
  const { attemptsMade, attemptsStarted: timesTaken, opts, timestamp } = fields;
  if (record.kind !== 'job') return { kind: 'odd', record: { ...held, problem: record.kind } };
  const { data } = record;
  const spent = spentBefore(data, opts) + attemptsMade;
  const laneGap = gapOf(opts);
  const due = { ...held, data, spent, timesTaken, parkedAt: timestamp };
  return { kind: 'due', delivery: laneGap === undefined ? due : { ...due, laneGap } };
}
