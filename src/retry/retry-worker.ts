import { DelayedError, type Job, UnrecoverableError, Worker } from 'bullmq';
import { RelayError } from '../errors';
import { parseEnvelope } from '../events/envelope';
import type { Attempts } from '../pipeline/attempts';
import type { Bulkhead } from '../pipeline/bulkhead';
import type { AttemptRecord, Delivery, DeliveryId, Destination, DestinationId } from '../pipeline/delivery';
import type { DeadReason, Decide } from '../pipeline/parking';
import type { RedisClient } from '../redis/scripts';
import { settleStored } from './bullmq-parking';
import type { GroupCommit } from './group-commit';
import { bodyOf, historyLine, type JobData, originOf } from './job';
import { INTERRUPTED_DELAY_MS } from './policy';
import type { RetryStore } from './retry-store';

export interface RetryObserver {
  deadLettered(id: DeliveryId, data: JobData, reason: DeadReason): void;
}

export interface RetryWorkerParts {
  readonly store: RetryStore;
  readonly commit: GroupCommit;
  /** A connection of its own: it blocks while it waits for jobs. */
  readonly redis: RedisClient;
  readonly attempts: Attempts;
  readonly bulkheadOf: (id: DestinationId) => Bulkhead;
  /** Undefined where there is none any more; rejects where that cannot be known. */
  readonly destinationOf: (id: DestinationId) => Promise<Destination | undefined>;
  readonly decide: Decide;
  readonly concurrency: number;
  /** Bytes of bodies that retries may hold at once. */
  readonly maxBytes: number;
  readonly observer: RetryObserver;
  readonly onError: (error: unknown) => void;
}

/** A retry failed; BullMQ stores the job again with this delay. */
class RetryLaterError extends RelayError {
  constructor(
    readonly delayMs: number,
    code: string,
  ) {
    super(code, code);
  }
}

/** A worker that dies leaves its jobs locked for this long. */
const LOCK_MS = 15_000;
const STALLED_CHECK_MS = 5_000;
/** How soon BullMQ asks again after Redis went away. */
const REDIS_RETRY_MS = 1_000;

/** Makes the retries: BullMQ hands over what is due, the same attempts as for fresh events deliver it. */
export class RetryWorker {
  private readonly worker: Worker<JobData>;
  private bytes = 0;
  private running = 0;
  private draining = false;

  constructor(private readonly parts: RetryWorkerParts) {
    this.worker = new Worker<JobData>(parts.store.queueName, (job) => this.take(job), {
      connection: parts.redis,
      prefix: parts.store.prefix,
      concurrency: parts.concurrency,
      autorun: false,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // Killed workers are no fault of the delivery: it is never failed for having been with one.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      runRetryDelay: REDIS_RETRY_MS,
      settings: {
        backoffStrategy: (_attempts, _type, error) =>
          error instanceof RetryLaterError ? error.delayMs : INTERRUPTED_DELAY_MS,
      },
    });
    this.worker.on('error', parts.onError);
    // At once: BullMQ fetches as many jobs as it may, bodies included, before it begins with the first of them.
    this.worker.on('active', ({ data }) => this.hold(bytesOf(data)));
  }

  start(): void {
    this.worker.run().catch(this.parts.onError);
  }

  /** Takes no more jobs; those under way go on. */
  async stopIntake(): Promise<void> {
    this.draining = true;
    await this.worker.pause(true);
  }

  /** Resolves when no retry is under way any more; interrupt the attempts first where that must be soon. */
  async close(): Promise<void> {
    await this.worker.close();
  }

  private async take(job: Job<JobData>): Promise<void> {
    const bytes = bytesOf(job.data);
    try {
      await this.process(job);
    } finally {
      this.release(bytes);
    }
  }

  private async process(job: Job<JobData>): Promise<void> {
    if (job.data.x !== undefined) throw this.giveUp(job, job.data.x);
    if (job.stalledCounter > 0 && (await this.isSettled(job))) return;
    const destination = await this.destinationOf(job);
    if (destination === undefined) throw this.giveUp(job, 'destination-removed');
    const attempt = job.data.n + job.attemptsMade + 1;
    if (attempt > destination.maxAttempts) throw this.giveUp(job, 'attempts-exhausted');
    const bulkhead = this.parts.bulkheadOf(destination.id);
    // What does not fit into memory yet waits here: to fetch its body again would take just as much.
    while (!this.draining && !this.parts.attempts.fits(job.data.l)) await this.parts.attempts.nextEnd();
    if (this.draining || !bulkhead.hasRoomForRetry || bulkhead.circuit.closedIn() > 0) {
      throw await this.postpone(
        job,
        this.draining ? 0 : Math.max(bulkhead.reserveTurn(), refetchMs(job.data)),
      );
    }
    await this.attempt(job, destination, attempt, bulkhead);
  }

  /** Settings that cannot be read are no fault of the delivery. */
  private async destinationOf(job: Job<JobData>): Promise<Destination | undefined> {
    try {
      return await this.parts.destinationOf(job.data.d as DestinationId);
    } catch (error) {
      this.parts.onError(error);
      throw await this.postpone(job, this.draining ? 0 : INTERRUPTED_DELAY_MS);
    }
  }

  private async attempt(
    job: Job<JobData>,
    destination: Destination,
    attempt: number,
    bulkhead: Bulkhead,
  ): Promise<void> {
    const envelope = parseEnvelope(await bodyOf(job.data), originOf(job.data));
    const delivery: Delivery = { id: job.id as DeliveryId, envelope, destination };
    const record = await this.parts.attempts.run({ kind: 'retry', delivery, attempt, bulkhead });
    await this.conclude(job, delivery, record);
  }

  private async conclude(job: Job<JobData>, delivery: Delivery, record: AttemptRecord): Promise<void> {
    const { outcome } = record;
    if (outcome.kind === 'delivered' || outcome.kind === 'discarded') {
      await settleStored(this.parts.store, this.parts.commit, delivery.id, outcome.kind);
      return;
    }
    if (outcome.kind === 'interrupted')
      throw await this.postpone(job, this.draining ? 0 : (outcome.retryAfterMs ?? INTERRUPTED_DELAY_MS));
    await job.log(historyLine(record));
    const decision = this.parts.decide(delivery, record);
    if (decision.kind === 'give-up') throw this.giveUp(job, decision.reason);
    throw new RetryLaterError(decision.delayMs, outcome.code);
  }

  /** Puts the job back without spending an attempt. */
  private async postpone(job: Job<JobData>, delayMs: number): Promise<DelayedError> {
    await job.moveToDelayed(Date.now() + Math.max(delayMs, 1), job.token);
    return new DelayedError();
  }

  private giveUp(job: Job<JobData>, reason: DeadReason): UnrecoverableError {
    this.parts.observer.deadLettered(job.id as DeliveryId, job.data, reason);
    return new UnrecoverableError(reason);
  }

  /** A worker died between the answer and the job's removal: the delivery was made and counted. */
  private async isSettled(job: Job<JobData>): Promise<boolean> {
    return this.parts.store.isSettled(job.id as DeliveryId);
  }

  /** While the jobs fetched are too many bytes, no further one is. */
  private hold(bytes: number): void {
    this.bytes += bytes;
    this.running++;
    if (this.bytes > this.parts.maxBytes) this.worker.concurrency = this.running;
  }

  private release(bytes: number): void {
    this.bytes -= bytes;
    this.running--;
    if (this.bytes <= this.parts.maxBytes) this.worker.concurrency = this.parts.concurrency;
  }
}

/** A body that is fetched in vain is not fetched again at once: a second for each megabyte. */
function refetchMs({ l }: JobData): number {
  return l / 1000;
}

/** What a job takes while it is under way: its text from Redis, the body, and the body that is sent. */
function bytesOf({ b, l }: JobData): number {
  return b.length + 2 * l;
}
