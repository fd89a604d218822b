import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { DeadLetters } from '../../../src/dead-letters/dead-letters';
import { instanceOf } from '../../../src/destinations/destination-ids';
import { type AuditLine, audit } from '../../../src/ledger/audit';
import { Ledger } from '../../../src/ledger/ledger';
import type { AttemptRecord, Delivery, Destination, ParkReason } from '../../../src/pipeline/delivery';
import type { Decide, ParkRequest } from '../../../src/pipeline/parking';
import { connectRedis } from '../../../src/redis/client';
import { AddressRoster } from '../../../src/retry/address-roster';
import { BullMqParking } from '../../../src/retry/bullmq-parking';
import { GroupCommit } from '../../../src/retry/group-commit';
import { LaneParking } from '../../../src/retry/lane-parking';
import { Superseding } from '../../../src/retry/needless';
import { decide } from '../../../src/retry/policy';
import { type Fetched, RetryQueue } from '../../../src/retry/retry-queue';
import { type DeadLetterShare, RetryStore } from '../../../src/retry/retry-store';
import type { RetryWorker } from '../../../src/retry/retry-worker';
import { type ShareLimits, Shares } from '../../../src/retry/shares';
import { StoredDeliveries } from '../../../src/retry/stored-deliveries';
import { eventually, Happenings } from '../signals/signals';
import { deliveryTo, eventBody } from '../values/events';
import { redisConfig } from '../values/redis-config';
import { FAILED, type FakeDestination } from './pipeline-harness';
import { dumpOf } from './redis-dump';
import { storeWorker, type WorkerSettings } from './store-worker';

/** Retries follow at once: the schedule itself is tested where it is pure. */
const POLICY = { initialDelayMs: 1, maxDelayMs: 1, exponential: false, jitter: 0 };

/** Nothing stalls by itself within a test. */
const STALLED_CHECK_MS = 600_000;

export interface StoreHarnessOptions {
  /** Another Redis than that of `npm test`, such as a proxy before it. */
  readonly uri?: string;
  /** Of another harness: both see the same. */
  readonly prefix?: string;
  readonly limits?: ShareLimits;
  readonly deadLetterShare?: DeadLetterShare;
}

const NO_LIMITS: ShareLimits = { perInstance: 0, perGlobalDestination: 0 };

/** The Redis at REDIS_URI under a prefix of its own; nothing of it stays after `close`. */
export class StoreHarness {
  readonly prefix: string;
  /** The name under which this one stores what is under way. */
  readonly worker = randomUUID();
  readonly uri: string;
  readonly parked = new Happenings<ParkReason>();
  readonly superseded = new Happenings<Delivery>();
  readonly dead = new Happenings<string>();
  readonly records = new Happenings<AttemptRecord>();
  readonly missing = new Happenings<string>();
  readonly unreadable = new Happenings<string>();
  readonly disagreements = new Happenings<string>();
  readonly recovered = new Happenings<number>();
  readonly store: RetryStore;
  readonly commit: GroupCommit;
  readonly deliveries: StoredDeliveries;
  readonly parking: BullMqParking;
  readonly needless: Superseding;
  readonly laneParking: LaneParking;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  private readonly clients: { disconnect: () => void }[] = [];
  private readonly workers: RetryWorker[] = [];
  private readonly queues: RetryQueue[] = [];

  private constructor(options: StoreHarnessOptions) {
    this.prefix = options.prefix ?? `test-${randomUUID().slice(0, 8)}`;
    const uri = options.uri ?? process.env['REDIS_URI'];
    if (uri === undefined) throw new Error('REDIS_URI must be set: start the tests with `npm test`');
    this.uri = uri;
    this.store = new RetryStore({
      redis: this.connect('commands'),
      prefix: this.prefix,
      onError: () => {},
      deadLetterShare: options.deadLetterShare ?? { maxCount: 0, maxBytes: 0 },
    });
    this.commit = new GroupCommit(this.store, () => {});
    this.ledger = new Ledger(this.store, this.commit);
    this.deliveries = new StoredDeliveries({ store: this.store, commit: this.commit, worker: this.worker });
    this.needless = new Superseding({
      store: this.store,
      onSuperseded: (newer) => this.superseded.add(newer),
      onError: () => {},
    });
    const { deliveries, store } = this;
    const shares = new Shares({ limits: options.limits ?? NO_LIMITS, instanceOf });
    const observer = {
      parked: (_delivery: Delivery, reason: ParkReason) => this.parked.add(reason),
      superseded: (newer: Delivery) => this.superseded.add(newer),
      deadLettered: (_id: string, _labels: unknown, reason: string) => this.dead.add(reason),
    };
    this.parking = new BullMqParking({
      superseding: this.needless,
      deliveries,
      shares,
      decide: this.decide,
      observer,
    });
    this.laneParking = new LaneParking({ store, deliveries, shares, observer, onError: () => {} });
    this.deadLetters = new DeadLetters(this.store);
  }

  static async open(options: StoreHarnessOptions = {}): Promise<StoreHarness> {
    const harness = new StoreHarness(options);
    await harness.store.waitUntilReady();
    return harness;
  }

  readonly decide: Decide = (delivery, record) =>
    decide(POLICY, delivery.destination.maxAttempts, record, 0.5);

  /** Parks a delivery; resolves once it is stored. */
  async park(delivery: Delivery, others: Partial<ParkRequest> = {}): Promise<'stored' | 'withdrawn'> {
    return this.parking.park({
      delivery,
      reason: 'failed',
      attemptsMade: 1,
      history: [{ attempt: 1, at: Date.now(), durationMs: 5, outcome: FAILED }],
      decision: { kind: 'retry', delayMs: 3_600_000 },
      ...others,
    }).settled;
  }

  /** Makes dead letters of what was given up on at the first attempt. */
  async bury(buried: readonly Delivery[]): Promise<void> {
    const giveUp = { decision: { kind: 'give-up', reason: 'rejected' } } as const;
    await Promise.all(buried.map((delivery) => this.park(delivery, giveUp)));
  }

  startWorker(settings: WorkerSettings = {}): RetryWorker {
    const worker = storeWorker(this, settings);
    worker.start();
    this.workers.push(worker);
    return worker;
  }

  /** What a worker knows of the addresses that others have; it says its own when asked to only. */
  roster(destinations: readonly FakeDestination[]): AddressRoster {
    return new AddressRoster({
      store: this.store,
      own: new Map(destinations.flatMap(({ id, address }) => (address === undefined ? [] : [[id, address]]))),
      onDisagreement: (id) => this.disagreements.add(id),
      onAgreement: () => {},
      onError: () => {},
    });
  }

  /** A worker's access to what is due, without its loop. It has no time for stalled jobs: see `checkStalled`. */
  openQueue(): RetryQueue {
    const queue = new RetryQueue({
      store: this.store,
      lockMs: 15_000,
      stalledCheckMs: STALLED_CHECK_MS,
      onStalled: (count) => this.recovered.add(count),
      onError: () => {},
    });
    this.queues.push(queue);
    return queue;
  }

  /** The first of what is due, whatever its destination; undefined where nothing is. */
  async fetch(queue = this.openQueue()): Promise<Fetched | undefined> {
    const none = new Map<string, number>();
    const { lines } = await queue.next({ wishes: none, putOff: none, bytes: 1 });
    const [first] = lines;
    if (first === undefined) return undefined;
    const { taken } = await queue.next({ wishes: new Map([[first.key, 1]]), putOff: none, bytes: 1 });
    return taken[0];
  }

  /** BullMQ's check for stalled jobs, as if its time had come unless that is to be so; how many it put back. */
  async checkStalled(when: 'now' | 'in its turn' = 'now'): Promise<number> {
    if (when === 'now') await this.withRedis((redis) => redis.del(this.store.queue.toKey('stalled-check')));
    const options = { name: 'checker', lockMs: 15_000, stalledCheckMs: STALLED_CHECK_MS };
    const worker = this.store.openWorker(options);
    try {
      return (await worker.getBackend().moveStalledJobsToWait()).length;
    } finally {
      await worker.close();
    }
  }

  async audit(): Promise<AuditLine[]> {
    return [...(await audit(this.store)).destinations];
  }

  /** The line of one destination, without its name. */
  async line(destination: Destination | 'none'): Promise<Omit<AuditLine, 'destination'> | undefined> {
    const id = destination === 'none' ? 'none' : destination.id;
    const found = (await this.audit()).find((line) => line.destination === id);
    if (found === undefined) return undefined;
    const { destination: _name, ...numbers } = found;
    return numbers;
  }

  async untilLine(destination: Destination | 'none', expected: Partial<AuditLine>): Promise<void> {
    const wanted = Object.entries(expected);
    let last: unknown;
    await eventually(async () => {
      const line: Record<string, unknown> = { ...(await this.line(destination)) };
      last = line;
      return wanted.every(([name, value]) => line[name] === value) ? true : undefined;
    }, JSON.stringify(expected)).catch((error: Error) => {
      throw new Error(`${error.message}, but: ${JSON.stringify(last)}`);
    });
  }

  async keyNames(): Promise<string[]> {
    return this.withRedis((redis) => this.keys(redis));
  }

  /** What a person, or another program, does to Redis. */
  async withRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.uri);
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Everything that lies in Redis under the prefix, as one text. */
  dump(): Promise<string> {
    return this.withRedis(async (redis) => dumpOf(redis, await this.keys(redis)));
  }

  async close(): Promise<void> {
    for (const worker of this.workers) await worker.close();
    for (const queue of this.queues) await queue.close();
    await this.ledger.flush();
    this.commit.close();
    await this.store.close();
    for (const client of this.clients) client.disconnect();
    const redis = new Redis(this.uri);
    const keys = await this.keys(redis);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  }

  private async keys(redis: Redis): Promise<string[]> {
    const keys: string[] = [];
    for await (const found of redis.scanStream({ match: `{${this.prefix}*`, count: 1000 })) {
      keys.push(...(found as string[]));
    }
    return keys;
  }

  private connect(purpose: 'commands' | 'blocking') {
    const client = connectRedis(redisConfig(this.uri, this.prefix), purpose, () => {});
    this.clients.push(client);
    return client;
  }
}

/** Deliveries of different events to one destination. */
export function deliveries(destination: FakeDestination, count: number, first = 0): Delivery[] {
  return Array.from({ length: count }, (_, index) => deliveryTo(destination, eventBody(first + index)));
}
