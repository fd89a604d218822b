import { createIORedisClient, type IRedisClient, type IRedisTransaction, Queue } from 'bullmq';
import { errorCode, StoreUnavailableError } from '../errors';
import { type DeliveryId, destinationKeyOf } from '../pipeline/delivery';
import {
  OnceWriter,
  type PreparedCall,
  refusalOf,
  type ScriptCall,
  type WriteResult,
} from '../redis/once-writer';
import type { RelayRedis } from '../redis/relay-redis';
import { defineScripts, type ScriptName } from '../redis/scripts';
import type { JobData } from './job';

export type Transaction = IRedisTransaction;

/** A delivery that is counted as accepted where it is not stored yet, and the destination's name for the audit. */
export interface Accepted {
  readonly id: DeliveryId;
  readonly destination: string;
}

/** One change: one call of a script, which takes effect once however often it is sent. */
export interface Step {
  /** The delivery that `apply` stores, where it stores one. */
  readonly accepts?: Accepted;
  /** Called once; runs exactly one script. */
  readonly apply: (transaction: Transaction) => void;
  /** Called with what Redis answered, where it is known. */
  readonly reply?: (reply: unknown) => void;
}

/** Some of the steps are not stored; the others are. */
export class NotStoredError extends StoreUnavailableError {
  constructor(
    /** Indices of the steps that are not stored. */
    readonly unresolved: ReadonlySet<number>,
    cause: Error,
  ) {
    super(refusalOf(cause), { cause });
  }
}

export interface RetryStoreParts {
  /** Fails at once while Redis is away: offline queue off. */
  readonly redis: RelayRedis;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  /** `REDIS_WAIT_REPLICAS`; 0 where it is left out. */
  readonly replicas?: number;
  readonly onError: (error: unknown) => void;
}

const QUEUE_NAME = 'retry';

/** The Redis side of retries: BullMQ's queue, the audit's counters, and writes to both. */
export class RetryStore {
  readonly queue: Queue<JobData>;
  /** In braces, so that a Redis Cluster keeps everything of one relay in one slot. */
  readonly prefix: string;
  private readonly client: IRedisClient;
  private readonly writer: OnceWriter;
  /** Steps that were sent before keep their numbers. */
  private readonly prepared = new WeakMap<Step, PreparedCall>();
  private ready = false;

  constructor(private readonly parts: RetryStoreParts) {
    defineScripts(parts.redis);
    this.prefix = `{${parts.prefix}}`;
    this.client = createIORedisClient(parts.redis);
    this.queue = new Queue<JobData>(QUEUE_NAME, {
      connection: parts.redis,
      prefix: this.prefix,
      streams: { events: { maxLen: 1000 } },
    });
    this.writer = new OnceWriter({
      redis: parts.redis,
      keys: {
        audit: this.key('audit'),
        destinations: this.key('destinations'),
        jobKey: (id) => this.jobKey(id),
      },
      sentPrefix: `${this.prefix}:sent`,
      replicas: parts.replicas ?? 0,
    });
    this.queue.on('error', parts.onError);
    this.queue.waitUntilReady().then(
      () => {
        this.ready = true;
      },
      (error: unknown) => parts.onError(error),
    );
  }

  get queueName(): string {
    return QUEUE_NAME;
  }

  /** Whether calls are sent at all; false while there is no connection. */
  get isReady(): boolean {
    return this.ready && this.parts.redis.status === 'ready';
  }

  /** Resolves once Redis has answered; rejects only when the connection is closed for good. */
  async waitUntilReady(): Promise<void> {
    await this.queue.waitUntilReady();
  }

  key(name: 'audit' | 'destinations'): string {
    return `${this.prefix}:${name}`;
  }

  jobKey(id: string): string {
    return this.queue.toKey(id);
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
    let results: WriteResult[];
    try {
      results = await this.writer.write(steps.map((step) => this.prepare(step)));
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      throw new StoreUnavailableError(`Redis did not take it: ${errorCode(error)}`, { cause: error });
    }
    const errors = new Map<number, Error>();
    for (const [index, result] of results.entries()) {
      if (!result.ok) errors.set(index, result.error);
      else if (result.reply !== undefined) steps[index]?.reply?.(result.reply);
    }
    const [first] = errors.values();
    if (first !== undefined) throw new NotStoredError(new Set(errors.keys()), first);
  }

  /** Whether a step that was written without success may be stored all the same. */
  mayHave(step: Step): boolean {
    return this.prepared.get(step)?.wasSent === true;
  }

  private prepare(step: Step): PreparedCall {
    let prepared = this.prepared.get(step);
    if (prepared === undefined) {
      prepared = this.writer.prepare(callOf(step));
      this.prepared.set(step, prepared);
    }
    return prepared;
  }

  /** Runs one of our scripts by itself. */
  run(script: ScriptName, args: readonly (string | number)[]): Promise<unknown> {
    return this.client.runCommand(script, [...args]) as Promise<unknown>;
  }

  /** Whether a job that is still there was counted as delivered. */
  async isSettled(id: DeliveryId): Promise<boolean> {
    return (await this.client.hexists(this.jobKey(id), 'settled')) === 1;
  }

  /** Age of the parked delivery that is due first, in seconds; 0 where nothing is parked. */
  async oldestAgeSeconds(now: number): Promise<number> {
    const [id] = await this.queue.getRanges(['wait', 'delayed'], 0, 0, true);
    const timestamp = id === undefined ? null : await this.client.hget(this.jobKey(id), 'timestamp');
    return timestamp === null ? 0 : Math.max(0, now - Number(timestamp)) / 1000;
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
    return { parked: Object.values(parked).reduce((sum, count) => sum + count, 0), deadLetters: failed };
  }

  async close(): Promise<void> {
    await this.queue.close();
  }
}

/** What BullMQ or our own step asks of a transaction, written down. */
function callOf({ accepts, apply }: Step): ScriptCall {
  let call: ScriptCall | undefined;
  const recorder: Pick<Transaction, 'runCommand'> = {
    runCommand: (script: string, args: unknown[]) => {
      if (call !== undefined)
        throw new RangeError(`a step runs one script, not ${script} beside ${call.script}`);
      call = { script, args, ...(accepts === undefined ? {} : { accepts: acceptedOf(accepts) }) };
      return recorder as Transaction;
    },
  };
  apply(recorder as Transaction);
  if (call === undefined) throw new RangeError('a step runs a script');
  return call;
}

function acceptedOf({ id, destination }: Accepted) {
  return { id, destinationKey: destinationKeyOf(id), destination };
}
