import type { IRedisClient, Queue, Worker } from 'bullmq';
import { errorCode, StoreUnavailableError } from '../errors';
import { DESTINATION_KEY_LENGTH } from '../pipeline/delivery';
import { OnceWriter, type PreparedCall, refusalOf, type WriteResult } from '../redis/once-writer';
import type { RelayRedis } from '../redis/relay-redis';
import { isReplyError } from '../redis/reply-error';
import { defineScripts, type ScriptName, type StoredScriptName } from '../redis/scripts';
import { createIORedisClient, makeQueue, makeWorker } from './bullmq-parts';
import type { JobData } from './job';

/** One change: one call of a script, which takes effect once however often it is sent. */
export interface Step extends PreparedCall {
  /** Called with what Redis answered, where it is known. */
  readonly reply: ((reply: unknown) => void) | undefined;
}

/** What the parts that store and fetch deliveries need of the store: calls, and steps that are written together. */
export type StoredCalls = Pick<RetryStore, 'isReady' | 'call' | 'step' | 'write'>;

/** Some of the steps are not stored, each for a reason of its own; the others are. */
export class NotStoredError extends StoreUnavailableError {
  /** @param errors by the indices of the steps that are not stored */
  constructor(private readonly errors: ReadonlyMap<number, Error>) {
    const [first] = errors.values();
    super(first === undefined ? 'Redis did not take it' : refusalOf(first), { cause: first });
  }

  isStored(index: number): boolean {
    return !this.errors.has(index);
  }

  /** Redis answered, and said no; of others nobody knows whether it took them. */
  isRefused(index: number): boolean {
    return isReplyError(this.errors.get(index));
  }
}

/** What the dead letters of one owner may take; 0 is no limit. */
export interface DeadLetterShare {
  readonly maxCount: number;
  readonly maxBytes: number;
}

export interface RetryStoreParts {
  /** Fails at once while Redis is away: offline queue off. */
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  /** `REDIS_WAIT_REPLICAS`; 0 where it is left out. */
  readonly replicas?: number;
  readonly onError: (error: unknown) => void;
  /** Left out where nothing becomes a dead letter. */
  readonly deadLetterShare?: DeadLetterShare;
}

export interface WorkerOptions {
  /** Shown by BullMQ's tools, and the first part of its locks' tokens. */
  readonly name: string;
  readonly lockMs: number;
  readonly stalledCheckMs: number;
}

const QUEUE_NAME = 'retry';
const REOPEN_MS = 1000;
/** A worker leaves a line alone for no longer than this where it has no room for more (retry/lines.ts). */
const DUE_WITHIN_MS = 1000;
/** Counted at most: with more there is work enough. */
const MOST_LINES = 1000;
const NO_LIMIT: DeadLetterShare = { maxCount: 0, maxBytes: 0 };

/** The Redis side of retries: BullMQ's queue, and the steps that change what lies in it together with what counts it. */
export class RetryStore {
  private opened: Queue<JobData>;
  private readonly whenReady: Promise<void>;
  private announceReady: () => void = () => {};
  private reopening: NodeJS.Timeout | undefined;
  /** In braces, so that a Redis Cluster keeps everything of one relay in one slot. */
  readonly prefix: string;
  private readonly client: IRedisClient;
  private readonly writer: OnceWriter;
  private ready = false;

  constructor(private readonly parts: RetryStoreParts) {
    defineScripts(parts.redis);
    this.prefix = `{${parts.prefix}}`;
    this.client = createIORedisClient(parts.redis);
    this.whenReady = new Promise((resolve) => {
      this.announceReady = resolve;
    });
    this.opened = this.open();
    this.writer = new OnceWriter({
      redis: parts.redis,
      sentPrefix: `${this.prefix}:sent`,
      replicas: parts.replicas ?? 0,
    });
  }

  /** BullMQ's own view of what is stored: for lists and counts. */
  get queue(): Queue<JobData> {
    return this.opened;
  }

  get queueName(): string {
    return QUEUE_NAME;
  }

  /** BullMQ's worker on this connection, for fetching by hand. */
  openWorker({ name, lockMs, stalledCheckMs }: WorkerOptions): Worker<unknown> {
    const options = {
      connection: this.parts.redis,
      prefix: this.prefix,
      name,
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: stalledCheckMs,
      // Killed workers are no fault of the delivery: it is never failed for having been with one.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    };
    return makeWorker(QUEUE_NAME, options);
  }

  /** Whether calls are sent at all; false while there is no connection. */
  get isReady(): boolean {
    return this.ready && this.parts.redis.status === 'ready';
  }

  /** Resolves once Redis has answered BullMQ's first question. */
  waitUntilReady(): Promise<void> {
    return this.whenReady;
  }

  /** BullMQ asks Redis once when a queue is made, and a queue whose question failed is of no use: another one is made. */
  private open(): Queue<JobData> {
    const { redis, onError } = this.parts;
    const queue = makeQueue<JobData>(QUEUE_NAME, {
      connection: redis,
      prefix: this.prefix,
      streams: { events: { maxLen: 1000 } },
    });
    queue.on('error', onError);
    queue.waitUntilReady().then(
      () => {
        this.ready = true;
        this.announceReady();
      },
      (error: unknown) => {
        onError(error);
        if (redis.status === 'end') return;
        this.reopening = setTimeout(() => {
          this.opened = this.open();
        }, REOPEN_MS);
      },
    );
    return queue;
  }

  /**
   * Writes `steps` in their order. A step that is written again, as it is not known whether it was stored, takes effect
   * once all the same.
   *
   * @throws NotStoredError when some of them are not stored
   * @throws StoreUnavailableError when Redis is away: none counts as stored
   */
  async write(steps: readonly Step[]): Promise<void> {
    if (!this.isReady) throw new StoreUnavailableError('Redis is away');
    let results: readonly WriteResult[];
    try {
      results = await this.writer.write(steps);
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      throw new StoreUnavailableError(`Redis did not take it: ${errorCode(error)}`, { cause: error });
    }
    const errors = new Map<number, Error>();
    for (const [index, result] of results.entries()) {
      if (!result.ok) errors.set(index, result.error);
      else if (result.reply !== undefined) steps[index]?.reply?.(result.reply);
    }
    if (errors.size > 0) throw new NotStoredError(errors);
  }

  /** Runs one script of `redis/delivery-prelude.ts` by itself; for those that are harmless when they run twice. */
  call(script: StoredScriptName, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.run(script, this.argumentsOf(args));
  }

  /** The same script as a step. */
  step(script: StoredScriptName, args: readonly (string | number)[], reply?: (reply: unknown) => void): Step {
    const number = this.writer.nextNumber();
    return { script, args: this.argumentsOf(args), number, wasSent: false, reply };
  }

  /** Runs one of our scripts by itself. */
  run(script: ScriptName, args: readonly (string | number)[]): Promise<unknown> {
    return this.client.runCommand(script, [...args]) as Promise<unknown>;
  }

  /** How long the oldest parked delivery has been stored, in seconds; 0 where nothing is parked. */
  async oldestAgeSeconds(): Promise<number> {
    return Number(await this.call('relayOldest')) / 1000;
  }

  /** Parked deliveries that are due, of destinations that may be attempted: more workers would deliver them sooner. */
  async dueCount(): Promise<number> {
    return Number(await this.call('relayDue', DUE_WITHIN_MS, MOST_LINES));
  }

  /** Lanes whose first delivery holds up others, or waits for its retry alone. */
  async lanes(): Promise<{ readonly waiting: number; readonly deliveriesBehind: number }> {
    const [waiting = 0, deliveriesBehind = 0] = (await this.call('relayLaneCounts')) as number[];
    return { waiting, deliveriesBehind };
  }

  /** What is stored, for a message about what was lost. */
  async counts(): Promise<{ readonly parked: number; readonly deadLetters: number }> {
    const { failed = 0, ...parked } = await this.queue.getJobCounts(
      'wait',
      'active',
      'delayed',
      'prioritized',
      'failed',
    );
    const { deliveriesBehind } = await this.lanes();
    const placed = Object.values(parked).reduce((sum, count) => sum + count, 0);
    return { parked: placed + deliveriesBehind, deadLetters: failed };
  }

  async close(): Promise<void> {
    clearTimeout(this.reopening);
    await this.queue.close();
  }

  /** The key that every script begins with, and what all of them are given. */
  private argumentsOf(args: readonly (string | number)[]): (string | number)[] {
    const { maxCount, maxBytes } = this.parts.deadLetterShare ?? NO_LIMIT;
    return [`${this.prefix}:audit`, `${this.prefix}:`, DESTINATION_KEY_LENGTH, maxCount, maxBytes, ...args];
  }
}
