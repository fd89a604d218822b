import { Redis } from 'ioredis';
import type { Delivery } from '../../src/pipeline/delivery';
import { GONE_MS } from '../../src/retry/presence';
import type { RetryQueue } from '../../src/retry/retry-queue';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import type { Held } from '../../src/retry/stored-deliveries';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { watchRedis } from '../support/harness/redis-watch';
import { StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { deliveryTo } from '../support/values/events';

jest.setTimeout(180_000);

const COMMANDS =
  'zadd zrem lpush rpush lrem ltrim rpoplpush hset hmset hsetnx hincrby hdel hmget hget set get del zincrby zscore zrange ' +
  'zrevrangebyscore zrangebyscore zremrangebyscore lpos lrange type sadd srem smembers exists xadd pubsub';
const KEYS =
  'retry:failed retry:active retry:delayed retry:wait retry:prioritized retry:stalled retry:events retry:marker parked ' +
  'destinations audit share:parked-count share:parked-bytes share:dead-count share:dead-bytes';
const LINE = '{"a":1}';
const dueNow = { decision: { kind: 'retry', delayMs: 0 } } as const;

/** What a person does to Redis, and a worker that meets a fault: one sees what the other does. */
let harness: StoreHarness;
let far: StoreHarness;
let admin: Redis;
let user: string;
let harnessQueue: RetryQueue;
let farQueue: RetryQueue;
const delivery: Delivery = deliveryTo(new FakeDestination('webhook:instance/loja-centro'));
const { id } = delivery;

beforeEach(async () => {
  harness = await StoreHarness.open();
  admin = new Redis(harness.uri);
  user = `half-${harness.prefix}`;
  await admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all');
  const uri = new URL(harness.uri);
  uri.username = user;
  uri.password = 'secret';
  far = await StoreHarness.open({ uri: uri.href, prefix: harness.prefix });
  [harnessQueue, farQueue] = [harness.openQueue(), far.openQueue()];
});
afterEach(async () => {
  await admin.call('ACL', 'SETUSER', user, '+@all');
  await far.close();
  await harness.close();
  await admin.call('ACL', 'DELUSER', user);
  admin.disconnect();
});

const keyOf = (name: string): string => `{${harness.prefix}}:${name}`;
const jobKey = (): string => keyOf(`retry:${id}`);

async function take(): Promise<Held> {
  const fetched = await harness.fetch(harnessQueue);
  if (fetched === undefined) throw new Error('nothing was due');
  return fetched.kind === 'due' ? fetched.delivery : fetched.record;
}

async function bury(): Promise<void> {
  await harness.store.call('relayBury', id, (await take()).token, 'rejected', '', 10);
}

interface Half {
  readonly prepare: () => Promise<Held | undefined>;
  /** As a worker makes it, alone: nothing makes it again. */
  readonly step: (held: Held) => Promise<unknown>;
  /** The delivery may be gone afterwards. */
  readonly ends?: true;
}

const nothing = async (): Promise<undefined> => undefined;

const parkArgs = (reason: string): (string | number)[] => [
  id,
  delivery.destination.id,
  'event',
  '{}',
  0,
  reason,
  'owner',
  'owner',
  0,
  '',
  '',
  '',
];

const STEPS: Readonly<Record<string, Half>> = {
  'is parked': {
    prepare: async () => void (await admin.del(await harness.keyNames())),
    step: () => far.store.call('relayPark', ...parkArgs('')),
    ends: true,
  },
  'is given up at once': {
    prepare: async () => void (await admin.del(await harness.keyNames())),
    step: () => far.store.call('relayPark', ...parkArgs('rejected')),
    ends: true,
  },
  'is taken': { prepare: nothing, step: () => far.fetch(farQueue) },
  'is put back': {
    prepare: take,
    step: ({ token }) => far.store.call('relayReturn', id, token, 60_000, LINE, 10, ''),
  },
  'is given up': {
    prepare: take,
    step: ({ token }) => far.store.call('relayBury', id, token, 'rejected', LINE, 10),
  },
  'is settled while held': {
    prepare: take,
    step: () => far.store.call('relaySettle', id, 'delivered'),
    ends: true,
  },
  'is settled': { prepare: nothing, step: () => far.store.call('relaySettle', id, 'delivered'), ends: true },
  'failed late': { prepare: nothing, step: () => far.store.call('relayLate', id, 60_000, '', LINE, 10, 0) },
  'is given up late': {
    prepare: nothing,
    step: () => far.store.call('relayLate', id, 0, 'rejected', LINE, 10, 0),
  },
  'is held on to': { prepare: take, step: ({ token }) => far.store.call('relayHold', 15_000, id, token) },
  'stalled and is recovered': {
    prepare: async () => {
      await take();
      await admin.del(`${jobKey()}:lock`);
      await harness.checkStalled();
      return undefined;
    },
    step: () => far.checkStalled(),
  },
  'hung at a worker that is gone': {
    prepare: async () => {
      await admin.del(await harness.keyNames());
      await harness.store.call('relayPark', ...parkArgs(''), '', 'gone');
      for (const worker of ['gone', 'there']) await harness.store.call('relayPresent', worker, GONE_MS, 10);
      await admin.zincrby(keyOf('present'), -2 * GONE_MS, 'gone');
      return undefined;
    },
    step: () => far.store.call('relayPresent', 'there', GONE_MS, 10),
  },
  'is too old': { prepare: nothing, step: () => far.store.call('relayExpireParked', -1000, 10, 0) },
  'is brought forward': {
    prepare: async () => {
      await admin.zadd(keyOf('retry:delayed'), (Date.now() + 3_600_000) * 4096, id);
      return undefined;
    },
    step: () => far.store.call('relayBringForward', 1, 10),
  },
  'is replayed': { prepare: async () => void (await bury()), step: () => far.store.call('relayReplay', id) },
  'is discarded': {
    prepare: async () => void (await bury()),
    step: () => far.store.call('relayDiscard', id),
    ends: true,
  },
  'is expired': {
    prepare: async () => void (await bury()),
    step: () => far.store.call('relayExpire', -1000, 10, 10),
    ends: true,
  },
};

/** Makes Redis faulty; what it resolves with mends it. */
type Fault = () => Promise<() => Promise<unknown>>;

const FAULTS = new Map<string, Fault>([
  ...COMMANDS.split(' ').map((command): [string, Fault] => [
    `${command} is forbidden`,
    async () => {
      await admin.call('ACL', 'SETUSER', user, `-${command}`);
      return () => admin.call('ACL', 'SETUSER', user, '+@all');
    },
  ]),
  ...KEYS.split(' ').map((name): [string, Fault] => [
    `${name} is of another type`,
    async () => {
      const [key, aside] = [keyOf(name), keyOf('aside')];
      const isThere = (await admin.exists(key)) === 1;
      if (isThere) await admin.rename(key, aside);
      if (name === 'parked') await admin.hset(key, 'a', 1);
      else await admin.set(key, 'junk');
      return async () => {
        await admin.del(key);
        if (isThere) await admin.rename(aside, key);
      };
    },
  ]),
]);

async function places(): Promise<string[]> {
  const queue = harness.store.queue;
  const sets = ['delayed', 'failed', 'prioritized'];
  const found: string[] = [];
  for (const set of sets) if ((await admin.zscore(queue.toKey(set), id)) !== null) found.push(set);
  for (const list of ['active', 'wait'])
    for (const listed of await admin.lrange(queue.toKey(list), 0, -1)) if (listed === id) found.push(list);
  return found;
}

/** One look of the upkeep at everything that is parked. */
async function upkeep(uncounted: string[] = []): Promise<void> {
  await admin.del(keyOf('looked'));
  await new RetryUpkeep({
    store: harness.store,
    parkedMaxAgeMs: 0,
    orderedMaxAgeMs: 3_600_000,
    onExpired: () => {},
    onForward: () => {},
    onMended: () => {},
    onUncounted: (reason) => uncounted.push(reason),
    onError: (error) => {
      throw error;
    },
  }).look();
}

test.each(Object.entries(STEPS))(
  'a delivery that %s while Redis fails halfway through lies in one place afterwards',
  async (_name, { prepare, step, ends }) => {
    // BullMQ's workers have begun before the fault.
    await Promise.all(
      [harnessQueue, farQueue].map((queue) => queue.next({ wishes: new Map(), putOff: new Map(), bytes: 1 })),
    );
    const bad: string[] = [];
    let failures = 0;
    for (const [fault, begin] of FAULTS) {
      const keys = await harness.keyNames();
      if (keys.length > 0) await admin.del(keys);
      await harness.store.call('relayPark', ...parkArgs(''));
      const held = (await prepare()) ?? { id, token: 'none' };
      const end = await begin();
      const outcome = await step(held).catch((error: Error) => error);
      if (outcome instanceof Error) failures++;
      await end();
      await upkeep();
      const [found, exists] = [await places(), (await admin.exists(jobKey())) === 1];
      const isRight = found.length === 1 || (found.length === 0 && !exists && ends === true);
      if (!isRight || (!exists && ends === undefined))
        bad.push(`${fault}: ${found.join('+') || 'nowhere'} (${exists}) ${outcome}`);
    }
    expect(bad).toEqual([]);
    expect(failures).toBeGreaterThan(0);
  },
);

test('a job that lies in no place, whatever took it out, is due again at the next look; one without a record is not', async () => {
  await harness.park(delivery);
  await admin.zrem(keyOf('retry:delayed'), id);
  await admin.zadd(keyOf('parked'), 1, 'gone');
  await upkeep();
  expect(await places()).toEqual(['delayed']);
  expect((await take()).id).toBe(id);
  expect(await admin.zrange(keyOf('parked'), '0', '-1')).toEqual([id]);
});

test('where only HINCRBY is forbidden the audit counts all the same', async () => {
  await admin.call('ACL', 'SETUSER', user, '-hincrby');
  await far.park(delivery, dueNow);
  await far.park(delivery, dueNow);
  await far.deliveries.settle(delivery.id, 'delivered');
  await admin.call('ACL', 'SETUSER', user, '+@all');
  expect(await harness.line(delivery.destination)).toMatchObject({
    accepted: 1,
    delivered: 1,
    difference: 0,
  });
  const uncounted: string[] = [];
  await upkeep(uncounted);
  expect(uncounted).toEqual([]);
});

test('counters that cannot be written stop no delivery, and the upkeep says why', async () => {
  await admin.set(keyOf('audit'), 'junk');
  await harness.park(delivery, dueNow);
  const uncounted: string[] = [];
  await upkeep(uncounted);
  await upkeep(uncounted);
  expect(uncounted).toEqual([expect.stringContaining('WRONGTYPE')]);
  expect(await places()).toEqual(['delayed']);
});

test.each(['hincrby', 'zadd', 'zrem', 'lrem', 'hset', 'del', 'rpush', 'lrange', 'exists'])(
  'a Redis that forbids %s is not ready, and the reason names it',
  async (command) => {
    const { health, stop } = watchRedis(far.uri, harness.prefix);
    try {
      await eventually(async () => health.state.ready || undefined, 'ready');
      await admin.call('ACL', 'SETUSER', user, `-${command}`);
      await eventually(async () => !health.state.ready || undefined, 'not ready');
      expect(health.state.detail).toContain(`(${command.toUpperCase()})`);
      await admin.call('ACL', 'SETUSER', user, '+@all');
      await eventually(async () => health.state.ready || undefined, 'ready again');
    } finally {
      await stop();
    }
  },
);
