import { randomBytes } from 'node:crypto';
import type { Worker } from 'bullmq';
import type { DeliveryId, DestinationId } from '../pipeline/delivery';
import { gapOf, type JobData, readJob, spentBefore } from './job';
import type { Choice, StoredLine } from './lines';
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

/** What this worker wants, and what it cannot do now. */
export interface Request extends Choice {
  /** After which no more is taken. */
  readonly bytes: number;
}

/** What came of it, and what others there is. */
export interface Turn {
  readonly taken: readonly Fetched[];
  /** How many are left in the lines that were taken from, by key. */
  readonly left: ReadonlyMap<string, number>;
  /** Lines that may be looked at. */
  readonly lines: readonly StoredLine[];
  /** Ids that were due and have no record: somebody removed it. */
  readonly missing: readonly string[];
  /** Milliseconds until more is due; undefined where nothing else is stored. */
  readonly nextInMs: number | undefined;
}

export interface RetryQueueParts {
  readonly store: Pick<StoredCalls, 'call'> & Pick<RetryStore, 'openWorker'>;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
  /** BullMQ put back that many jobs of workers that are gone. */
  readonly onStalled: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Deliveries that enter their lines at once, and lines that are named. */
const LINE_UP_AT_ONCE = 200;
const MOST_LINES = 100;

type RawJob = readonly [
  id: string,
  token: string,
  data: string,
  attempts: string,
  options: string,
  timesTaken: string,
  parkedAt: string,
];

/**
 * What this worker takes of what is stored, and what it has of BullMQ: extending locks, and putting back what dead workers
 * held. It is asked and never blocks: a blocked call that a fail-over swallowed is noticed by nobody.
 */
export class RetryQueue {
  private readonly name = randomBytes(9).toString('base64url');
  private worker: Worker<unknown> | undefined;
  private tokens = 0;
  private stalled = 0;

  constructor(private readonly parts: RetryQueueParts) {}

  /** Takes what is wished for, locked, and hears what else there is. Where the answer is lost the locks run out. */
  async next({ wishes, putOff, bytes }: Request): Promise<Turn> {
    await this.open();
    const { store, lockMs } = this.parts;
    const firstToken = this.tokens;
    for (const count of wishes.values()) this.tokens += count;
    const limits = [LINE_UP_AT_ONCE, bytes, lockMs, this.name, firstToken, MOST_LINES, wishes.size];
    const reply = await store.call('relayNext', ...limits, ...[...wishes].flat(), ...[...putOff].flat());
    return turnOf(reply);
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

  /** BullMQ reports them one by one, all in the same turn. */
  private countStalled(): void {
    if (this.stalled++ > 0) return;
    queueMicrotask(() => {
      this.parts.onStalled(this.stalled);
      this.stalled = 0;
    });
  }
}

/** What `relayNext` answers. */
export function turnOf(reply: unknown): Turn {
  const [nextInMs, missing, taken, left, lines] = reply as [
    number,
    readonly string[],
    readonly RawJob[],
    readonly (string | number)[],
    readonly string[],
  ];
  return {
    taken: taken.map(fetchedOf),
    left: new Map(pairs(left).map(([key, count]) => [String(key), Number(count)])),
    lines: pairs(lines).map(([key, id]) => ({ key, id: id ? (id as DestinationId) : undefined })),
    missing,
    nextInMs: nextInMs < 0 ? undefined : nextInMs,
  };
}

function fetchedOf([jobId, token, text, attempts, options, taken, parkedAt]: RawJob): Fetched {
  const held = { id: jobId as DeliveryId, token };
  const record = readJob(text);
  if (record.kind !== 'job') return { kind: 'odd', record: { ...held, problem: record.kind } };
  const { data } = record;
  const spent = spentBefore(data, options) + (Number(attempts) || 0);
  const laneGap = gapOf(options);
  const due = {
    id: held.id,
    token,
    data,
    spent,
    timesTaken: Number(taken) || 0,
    parkedAt: Number(parkedAt) || 0,
  };
  return { kind: 'due', delivery: laneGap === undefined ? due : { laneGap, ...due } };
}

function pairs<T>(flat: readonly T[]): (readonly [T, T | undefined])[] {
  return flat.flatMap((each, index) => (index % 2 === 0 ? [[each, flat[index + 1]] as const] : []));
}
