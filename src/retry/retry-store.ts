import { createIORedisClient, type IRedisClient, type IRedisTransaction, Queue } from 'bullmq';
import { errorCode, StoreUnavailableError } from '../errors';
import { DESTINATION_KEY_LENGTH, type DeliveryId } from '../pipeline/delivery';
import { defineScripts, type RedisClient, type ScriptName } from '../redis/scripts';
import type { JobData } from './job';

export type Transaction = IRedisTransaction;

/** A delivery that is counted as accepted where it is not stored yet, and the destination's name for the audit. */
export interface Accepted {
  readonly id: DeliveryId;
  readonly destination: string;
}

/** One change within a transaction; sent again where the transaction failed, so what it does is idempotent. */
export interface Step {
  /** The delivery that `apply` stores, where it stores one. */
  readonly accepts?: Accepted;
  readonly apply: (transaction: Transaction) => void;
}

export interface RetryStoreParts {
  /** Fails at once while Redis is away: offline queue off. */
  readonly redis: RedisClient;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly onError: (error: unknown) => void;
}

const QUEUE_NAME = 'retry';

/** The Redis side of retries: BullMQ's queue, the audit's counters, and transactions over both. */
export class RetryStore {
  readonly queue: Queue<JobData>;
  /** In braces, so that a Redis Cluster keeps everything of one relay in one slot. */
  readonly prefix: string;
  private readonly client: IRedisClient;
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

  /** Whether Redis answered since the start and the connection is up. */
  get isReady(): boolean {
    return this.ready && (this.parts.redis.status === 'ready' || this.parts.redis.status === 'connect');
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
   * Runs `steps` in their order as one MULTI: all of them or none.
   *
   * @throws StoreUnavailableError when Redis is away, too slow, or refuses
   */
  async transaction(steps: readonly Step[]): Promise<void> {
    if (!this.isReady) throw new StoreUnavailableError('Redis is away');
    const transaction = this.client.multi();
    let accepted: Accepted[] = [];
    let from = 0;
    steps.forEach((step, index) => {
      if (step.accepts !== undefined) accepted.push(step.accepts);
      const next = steps[index + 1];
      if (next !== undefined && (next.accepts === undefined) === (step.accepts === undefined)) return;
      // Deliveries that follow each other are counted in one call; what stands between them keeps its place.
      if (accepted.length > 0) transaction.runCommand('relayAccept', this.acceptArgs(accepted));
      for (const { apply } of steps.slice(from, index + 1)) apply(transaction);
      accepted = [];
      from = index + 1;
    });
    let results: [Error | null, unknown][] | null;
    try {
      results = await transaction.exec();
    } catch (error) {
      throw new StoreUnavailableError(`Redis did not take it: ${errorCode(error)}`, { cause: error });
    }
    const failure =
      results === null ? new Error('transaction dropped') : results.find(([error]) => error)?.[0];
    if (failure) throw new StoreUnavailableError(`Redis refused: ${failure.message}`, { cause: failure });
  }

  private acceptArgs(accepted: readonly Accepted[]): (string | number)[] {
    return [
      this.key('audit'),
      this.key('destinations'),
      this.queue.toKey(''),
      DESTINATION_KEY_LENGTH,
      ...accepted.flatMap(({ id, destination }) => [id, destination]),
    ];
  }

  /** Runs one of our scripts outside a transaction. */
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

  async close(): Promise<void> {
    await this.queue.close();
  }
}
