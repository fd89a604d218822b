import { appName, OccupancyStore } from '../../src/destinations/pusher/occupancy/occupancy-store';
import { destinationKey } from '../../src/pipeline/delivery';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { CREDENTIALS } from '../support/pusher/destination';
import { deliveryTo, eventBody } from '../support/values/events';

const HOUR_MS = 3_600_000;
const APP = appName(CREDENTIALS);
const IN_LINE = { decision: { kind: 'in-line' }, attemptsMade: 0, history: [] } as const;

let harness: StoreHarness;

beforeEach(async () => {
  harness = await StoreHarness.open();
});
afterEach(() => harness.close());

/** What the clock of Redis leaves behind that is set back by an hour, or that of the server which takes over is behind. */
async function setBack(): Promise<void> {
  await harness.withRedis(async (redis) => {
    const lines = `{${harness.prefix}}:lines`;
    for (const key of await redis.zrange(lines, '0', '-1')) await redis.zincrby(lines, HOUR_MS, key);
    const health = `{${harness.prefix}}:health`;
    for (const [key, record] of Object.entries(await redis.hgetall(health))) {
      const later = record.replace(/"(?:untilMs|at|since)":\d+/g, (field) => {
        const [name = '', ms] = field.split(':');
        return `${name}:${Number(ms) + HOUR_MS}`;
      });
      await redis.hset(health, key, later);
    }
    for (const key of await redis.keys(`{${harness.prefix}}:*`)) {
      const left = await redis.pttl(key);
      if (left > 0) await redis.pexpire(key, left + HOUR_MS);
    }
  });
}

/** Attempts at a destination failed: it is closed to them for so long. */
function fail(key: string, id: string, openMs: number): Promise<unknown> {
  const why = [0, 0, 'TIMEOUT', 0, 0, 'http://receiver.test', ''];
  return harness.store.call('relayUnwell', key, id, openMs, ...why);
}

test('the lines of destinations do not stand still until a clock of Redis that was set back is where it was', async () => {
  const destination = new FakeDestination('webhook:instance/loja');
  destination.answer = DELIVERED;
  for (const number of [1, 2]) await harness.park(deliveryTo(destination, eventBody(number)), IN_LINE);
  // Somebody looked a moment ago: as all workers do, one of them every few seconds.
  await harness.store.call('relayBringForward', 60_000, 10);
  expect(await harness.store.call('relayBringForward', 60_000, 10)).toBe(-1);
  await setBack();
  expect(await harness.store.call('relayBringForward', 60_000, 10)).toBe(2);
  harness.startWorker({ destinations: [destination] });
  await harness.untilLine(destination, { delivered: 2, parked: 0 });
});

test('the line of a destination that a person suspended waits for that to end', async () => {
  const destination = new FakeDestination('webhook:instance/loja');
  const delivery = deliveryTo(destination, eventBody(1));
  await harness.park(delivery, IN_LINE);
  await harness.store.call('relaySuspend', destinationKey(destination.id), destination.id);
  expect(await harness.store.call('relayBringForward', 1000, 10)).toBe(0);
  expect(await harness.store.call('relayDue', 1000, 10)).toBe(0);
});

test('lines of destinations that are well go on, behind however many that are closed for long', async () => {
  const CLOSED = 650;
  const lines = `{${harness.prefix}}:lines`;
  const names = Array.from({ length: CLOSED + 300 }, (_, index) => `line${String(index).padStart(4, '0')}`);
  await harness.withRedis(async (redis) => {
    await redis.zadd(lines, ...names.flatMap((name) => [Date.now(), name]));
    for (const name of names) await redis.zadd(`{${harness.prefix}}:line:${name}`, 1, 'one');
  });
  for (const name of names.slice(0, CLOSED)) await fail(name, name, 3_000_000);
  await harness.withRedis(async (redis) => {
    for (const name of names.slice(CLOSED)) await redis.zincrby(lines, HOUR_MS, name);
  });
  let looks = 0;
  for (let forward = 0; forward < 300; looks++) {
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:looked`));
    forward += Number(await harness.store.call('relayBringForward', 60_000, 200));
    expect(looks).toBeLessThan(10);
  }
  // Each looks at some of them, and the next one goes on behind those.
  expect(looks).toBe(Math.ceil(names.length / 200));
  await harness.withRedis(async (redis) => {
    expect(await redis.zcount(lines, 0, Date.now())).toBe(300);
    // What became too far ahead since is found by the next round.
    await redis.zincrby(lines, HOUR_MS, names.at(-1) ?? '');
  });
  let forward = 0;
  for (let look = 0; look < 8; look++) {
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:looked`));
    forward += Number(await harness.store.call('relayBringForward', 60_000, 200));
  }
  expect(forward).toBe(1);
});

test('a retry that is due too late is due in time again, behind however many that are due later than it', async () => {
  const destination = new FakeDestination('webhook:instance/loja');
  const late = deliveryTo(destination, eventBody(0));
  await harness.park(late, { decision: { kind: 'retry', delayMs: 60_000 } });
  const delayed = harness.store.queue.toKey('delayed');
  await harness.withRedis((redis) => redis.zincrby(delayed, 600_000 * 0x1000, late.id));
  // What lies in a line is due within the hour.
  await Promise.all(deliveries(destination, 250, 1).map((each) => harness.park(each, IN_LINE)));
  const forward = jest.fn();
  const upkeep = new RetryUpkeep({
    ...{ store: harness.store, parkedMaxAgeMs: 0, orderedMaxAgeMs: HOUR_MS },
    ...{ onExpired: () => {}, onMended: () => {}, onUncounted: () => {}, onForward: forward },
    onError: (error) => {
      throw error;
    },
  });
  await upkeep.look();
  expect(forward.mock.calls).toEqual([[1]]);
  await harness.withRedis(async (redis) => {
    const due = Math.floor(Number(await redis.zscore(delayed, late.id)) / 0x1000);
    expect(due - Date.now()).toBeLessThanOrEqual(60_000);
  });
});

test('the turn to make the audit does not stay with whoever had it until then, however long it was', async () => {
  const isMine = async (): Promise<boolean> => {
    const [mine] = (await harness.store.call('relayAuditTurn', 1000)) as [number];
    return mine === 1;
  };
  expect([await isMine(), await isMine()]).toEqual([true, false]);
  await harness.store.call('relayAuditFound', 0, 600_000, 600_000, '[]');
  expect(await isMine()).toBe(false);
  await setBack();
  expect(await isMine()).toBe(true);
});

test('the turn to ask Pusher which channels are occupied ends as well', async () => {
  await harness.withRedis(async (redis) => {
    const store = new OccupancyStore(redis, harness.prefix);
    expect([await store.takeTurn(APP, 60_000), await store.takeTurn(APP, 60_000)]).toEqual([true, false]);
    await setBack();
    expect([await store.takeTurn(APP, 60_000), await store.takeTurn(APP, 60_000)]).toEqual([true, false]);
  });
});

describe('a destination that is not well', () => {
  const destination = new FakeDestination('webhook:instance/loja');
  const key = destinationKey(destination.id);
  const OPEN_MS = 30_000;
  const fails = (): Promise<unknown> => fail(key, destination.id, OPEN_MS);
  const mayBegin = async (worker: string): Promise<number> =>
    Number(await harness.store.call('relayClaimProbe', key, worker, 15_000));

  test('is tried again when it was to be', async () => {
    await harness.park(deliveryTo(destination, eventBody(1)), IN_LINE);
    await fails();
    expect(await mayBegin('one')).toBeGreaterThan(OPEN_MS - 5000);
    await setBack();
    expect(await mayBegin('one')).toBe(0);
    expect(await harness.store.call('relayBringForward', 1000, 10)).toBe(1);
    expect(await harness.store.call('relayDue', 1000, 10)).toBe(1);
  });

  test('is tried by another worker where the one that was to do it is gone', async () => {
    await fails();
    await setBack();
    expect([await mayBegin('one'), await mayBegin('two')]).toEqual([0, expect.any(Number)]);
    await setBack();
    expect(await mayBegin('two')).toBe(0);
  });

  test('is not tried where a person suspended it', async () => {
    await harness.store.call('relaySuspend', key, destination.id);
    await setBack();
    expect(await mayBegin('one')).toBeGreaterThan(HOUR_MS);
  });
});

test('what a worker held that was killed is put back within a minute', async () => {
  const destination = new FakeDestination('webhook:instance/loja');
  await harness.park(deliveryTo(destination, eventBody(1)), IN_LINE);
  expect(await harness.fetch()).toMatchObject({ kind: 'due' });
  expect(await harness.checkStalled()).toBe(0);
  await setBack();
  // The check itself is a turn, too.
  expect(await harness.checkStalled('in its turn')).toBe(0);
  const lock = harness.store.queue.toKey(`${deliveryTo(destination, eventBody(1)).id}:lock`);
  await harness.withRedis(async (redis) => {
    // Whoever lives has renewed it by then.
    expect(await redis.pttl(lock)).toBeLessThanOrEqual(60_000);
    expect(await redis.pttl(harness.store.queue.toKey('stalled-check'))).toBeLessThan(HOUR_MS);
    await redis.del(lock);
  });
  expect(await harness.checkStalled()).toBe(1);
});

test('an event is claimed by a worker that was killed for no longer than it would have been', async () => {
  const [CLAIM_MS, EVENT] = [30_000, 'event-1'];
  const claim = async (worker: string): Promise<unknown> =>
    harness.store.run('relayClaim', [`{${harness.prefix}}:seen`, worker, CLAIM_MS, EVENT]);
  expect([await claim('one'), await claim('two')]).toEqual([[0], [2]]);
  await setBack();
  // It may live: it has time to say so.
  expect(await claim('two')).toEqual([2]);
  await harness.withRedis(async (redis) => {
    expect(await redis.pttl(`{${harness.prefix}}:seen:${EVENT}`)).toBeLessThanOrEqual(CLAIM_MS);
  });
});
