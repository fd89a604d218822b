import { randomBytes } from 'node:crypto';
import type { DestinationId } from '../../src/pipeline/delivery';
import type { Permits } from '../../src/pipeline/permits';
import type { Lease, LeaseRequest } from '../../src/rates/permit-lease';
import { RedisLeases } from '../../src/rates/redis-leases';
import { RelayRedis } from '../../src/redis/relay-redis';
import { RetryStore } from '../../src/retry/retry-store';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { Scenario } from '../support/harness/scenario';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';
import { mostWithin } from '../support/values/moments';

jest.setTimeout(120_000);

const ID = 'webhook:global' as DestinationId;
const ASKED: LeaseRequest = { wanted: 1, waitedMs: 0, unused: [], owed: 0 };

describe('leases of a rate limit', () => {
  let redis: RelayRedis;
  let store: RetryStore;

  beforeEach(async () => {
    redis = new RelayRedis(String(process.env['REDIS_URI']));
    store = new RetryStore({ redis, prefix: `rates-${randomBytes(6).toString('hex')}`, onError: () => {} });
    await store.waitUntilReady();
  });
  afterEach(async () => {
    const keys = await redis.keys(`${store.prefix}:*`);
    if (keys.length > 0) await redis.unlink(...keys);
    await store.close();
    redis.disconnect();
  });

  const countOf = ({ charges }: Lease): number => charges.reduce((sum, { count }) => sum + count, 0);

  test('all workers together get no more than the count, and hear when more come free', async () => {
    const rate = { count: 10, seconds: 60 };
    const [one, other] = [new RedisLeases(store).of(ID, rate), new RedisLeases(store).of(ID, rate)];
    expect(countOf(await one({ ...ASKED, wanted: 7 }))).toBe(7);
    const second = await other({ ...ASKED, wanted: 7 });
    expect([countOf(second), second.free, second.workers]).toEqual([3, 0, 2]);
    expect(second.nextMs).toBeGreaterThan(55_000);
    expect(second.nextMs).toBeLessThanOrEqual(61_000);
    expect(countOf(await one({ ...ASKED, wanted: 1 }))).toBe(0);
  });

  test('what is given back is free again, what was used without a lease is not', async () => {
    const lease = new RedisLeases(store).of(ID, { count: 10, seconds: 60 });
    const { charges } = await lease({ ...ASKED, wanted: 10 });
    expect((await lease({ ...ASKED, wanted: 0, unused: charges })).free).toBe(10);
    expect((await lease({ ...ASKED, wanted: 0, owed: 6 })).free).toBe(4);
    expect(countOf(await lease({ ...ASKED, wanted: 10 }))).toBe(4);
    // More than there is, used while Redis was away: it counts all the same.
    expect((await lease({ ...ASKED, wanted: 0, owed: 5 })).free).toBe(0);
  });

  test('what was used falls out of the window, and a limit that nobody uses leaves nothing behind', async () => {
    const lease = new RedisLeases(store).of(ID, { count: 5, seconds: 1 });
    expect(countOf(await lease({ ...ASKED, wanted: 9 }))).toBe(5);
    let next = await lease({ ...ASKED, wanted: 9 });
    while (countOf(next) === 0) next = await lease({ ...ASKED, wanted: 9 });
    expect(countOf(next)).toBe(5);
    const keys = await redis.keys(`${store.prefix}:rate:*`);
    expect(keys).toHaveLength(1);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });

  test('what was free while a worker waited is leased as of then', async () => {
    const lease = new RedisLeases(store).of(ID, { count: 10, seconds: 10 });
    const [now] = (await lease({ ...ASKED, wanted: 5 })).charges;
    const [then] = (await lease({ ...ASKED, wanted: 5, waitedMs: 3000 })).charges;
    expect((now?.slot ?? 0) - (then?.slot ?? 0)).toBeGreaterThan(25);
  });

  test('another count goes on with what was used', async () => {
    const leases = new RedisLeases(store);
    expect(countOf(await leases.of(ID, { count: 10, seconds: 60 })({ ...ASKED, wanted: 10 }))).toBe(10);
    expect(countOf(await leases.of(ID, { count: 12, seconds: 60 })({ ...ASKED, wanted: 10 }))).toBe(2);
  });
});

/** As many permits as the test gives. */
class GivenPermits implements Permits {
  count = 0;
  private readonly waiters: ((mayBegin: boolean) => void)[] = [];

  constructor(private readonly onFree: () => void) {}

  get isFree(): boolean {
    return this.count > 0;
  }

  get isFreeForRetry(): boolean {
    return this.count > 0;
  }

  get readyForRetries(): number {
    return this.count;
  }

  get forRetries(): number {
    return this.count;
  }

  readonly noneForRetriesMs = 0;

  give(count: number): void {
    this.count += count;
    for (const resolve of this.waiters.splice(0)) resolve(true);
    this.onFree();
  }

  take(): void {
    this.count--;
  }

  waitMs(): number {
    return 0;
  }

  forRetry(): Promise<boolean> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  close(): void {}
}

describe('what is parked for a destination without permits', () => {
  let harness: StoreHarness;
  beforeEach(async () => {
    harness = await StoreHarness.open();
  });
  afterEach(() => harness.close());

  test('is not taken; when some come, as many are, the others of another destination meanwhile', async () => {
    const limited = new FakeDestination('webhook:limited');
    limited.limits = { rate: { count: 1, seconds: 1 } };
    limited.answer = DELIVERED;
    const other = new FakeDestination('webhook:other');
    other.answer = DELIVERED;
    for (let number = 0; number < 10; number++) {
      await harness.park(deliveryTo(limited, eventBody(number)), { decision: { kind: 'in-line' } });
      await harness.park(deliveryTo(other, eventBody(number)), { decision: { kind: 'in-line' } });
    }
    let permits: GivenPermits | undefined;
    harness.startWorker({
      destinations: [limited, other],
      permitsFor: (onFree) => {
        permits = new GivenPermits(onFree);
        return permits;
      },
    });
    await harness.untilLine(other, { delivered: 10, difference: 0 });
    expect(await timesTaken(harness)).toBe(0);
    permits?.give(3);
    await harness.untilLine(limited, { delivered: 3, parked: 7, difference: 0 });
    expect(await timesTaken(harness)).toBe(0);
    permits?.give(7);
    await harness.untilLine(limited, { delivered: 10, parked: 0, difference: 0 });
  });
});

/** How often what is parked was taken by a worker. */
async function timesTaken({ store }: StoreHarness): Promise<number> {
  const jobs = await store.queue.getDelayed();
  return jobs.reduce((sum, { attemptsStarted }) => sum + attemptsStarted, 0);
}

test('two workers of a webhook with a rate limit: they keep to it together, nothing is lost or parked', async () => {
  const scenario = await Scenario.start({
    env: { WEBHOOK_GLOBAL_RATE_LIMIT: '{"count":40,"seconds":2}', RABBITMQ_PREFETCH: '50' },
  });
  const arrivals: number[] = [];
  scenario.receiver.behaviour = () => {
    arrivals.push(performance.now());
    return { status: 200 };
  };
  try {
    await scenario.startWorker();
    await scenario.startWorker();
    await scenario.publish(200);
    await scenario.untilAllAccepted();
    // Requests may be late, and with them closer to those that follow: a unit test looks at single windows.
    expect(mostWithin(arrivals, 4000)).toBeLessThanOrEqual(120);
    const seconds = ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1000;
    process.stdout.write(`200 events at 20 a second: ${seconds.toFixed(2)} s\n`);
    expect(seconds).toBeGreaterThan(7.5);
    const { audit } = await scenario.conclude('rate limit');
    expect(audit).toMatchObject({ accepted: 200, delivered: 200 });
    // There is no other destination: the rest waits in the broker.
    for (const worker of scenario.workers) expect(worker.log).not.toContain('parked');
  } finally {
    await scenario.close();
  }
});

test('another destination goes on while one is short of permits, and what is parked keeps to the rate', async () => {
  const scenario = await Scenario.start({
    env: {
      WEBHOOK_GLOBAL_RATE_LIMIT: '{"count":10,"seconds":1}',
      WEBSOCKET_ENABLED: 'true',
      WEBSOCKET_GLOBAL_EVENTS: 'true',
      RABBITMQ_PREFETCH: '20',
    },
  });
  const arrivals: number[] = [];
  scenario.receiver.behaviour = () => {
    arrivals.push(performance.now());
    return { status: 200 };
  };
  try {
    const worker = await scenario.startWorker();
    await scenario.publish(100);
    await scenario.untilAudited(({ delivered }) => delivered === 100, 'websocket:global');
    expect(scenario.receiver.distinct).toBeLessThan(100);
    expect(await worker.total('relay_parked_total')).toBeGreaterThan(0);
    await scenario.untilAllAccepted();
    expect(mostWithin(arrivals, 4000)).toBeLessThanOrEqual(50);
    await scenario.conclude('rate limit beside another destination');
  } finally {
    await scenario.close();
  }
});
