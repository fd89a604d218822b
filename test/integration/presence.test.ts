import { Redis } from 'ioredis';
import type { Delivery } from '../../src/pipeline/delivery';
import { GONE_MS, Presence } from '../../src/retry/presence';
import type { Held } from '../../src/retry/stored-deliveries';
import { HealthHarness } from '../support/harness/health-harness';
import { FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';

const DUE_LATER = { decision: { kind: 'retry', delayMs: 600_000 } } as const;
const SLOW = { ...DUE_LATER, reason: 'slow', history: [] } as const;
const DUE_NOW = { decision: { kind: 'retry', delayMs: 0 } } as const;
const OTHER = 'other';
const MOST = 200;
const SILENT_MS = 2 * GONE_MS;

/** `harness` has requests under way; `OTHER` is the worker that lives. */
let harness: StoreHarness;
let destination: FakeDestination;
let delivery: Delivery;
let connection: Redis;

beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:instance/loja-centro');
  [delivery] = deliveries(destination, 1) as [Delivery];
  connection = new Redis(harness.uri);
});
afterEach(async () => {
  connection.disconnect();
  await harness.close();
});

const keyOf = (name: string): string => `{${harness.prefix}}:${name}`;
const says = (worker: string, most = MOST): Promise<unknown> =>
  harness.store.call('relayPresent', worker, GONE_MS, most);

/** When a worker said last that it is there, as if that had been so long ago. */
async function saidBefore(worker: string, ms: number): Promise<void> {
  const now = Number(await harness.withRedis((redis) => redis.zscore(keyOf('present'), worker)));
  await harness.withRedis((redis) => redis.zadd(keyOf('present'), now - ms, worker));
}

/** It said that it is there, and then nothing for a while, in which the other one did. */
async function fallsSilent(): Promise<void> {
  await says(harness.worker);
  await says(OTHER);
  await saidBefore(harness.worker, SILENT_MS);
}

const dueInMs = async (id: string): Promise<number> => {
  const score = await harness.withRedis((redis) => redis.zscore(keyOf('retry:delayed'), id));
  return Number(score) / 4096 - Date.now();
};

async function expectNothingDue(): Promise<void> {
  expect(await says(OTHER)).toEqual([0, 0]);
  expect(await dueInMs(delivery.id)).toBeGreaterThan(60_000);
}

describe('a worker that is gone', () => {
  test('holds up nothing that it had under way: others attempt that as soon as they know', async () => {
    await harness.park(delivery, SLOW);
    const [, retried] = deliveries(destination, 2) as [Delivery, Delivery];
    await harness.park(retried, DUE_NOW);
    const fetched = await harness.fetch();
    if (fetched?.kind !== 'due') throw new Error('nothing was fetched');
    await harness.deliveries.giveBackSlow(fetched.delivery, 600_000);
    await fallsSilent();
    expect(await says(OTHER)).toEqual([2, 0]);
    destination.answer = { kind: 'delivered' };
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 2, parked: 0, difference: 0 });
    expect((await harness.keyNames()).filter((name) => name.includes(':slow:'))).toEqual([]);
  });

  test('is one that said nothing and listens no more: a frozen one, or one that Redis does not answer to, is not', async () => {
    await harness.park(delivery, SLOW);
    await connection.subscribe(keyOf(`present:${harness.worker}`));
    await fallsSilent();
    await expectNothingDue();
    connection.disconnect();
    await eventually(
      async () => ((await says(OTHER)) as number[])[0] === 1 || undefined,
      'its connection is closed',
    );
  });

  test('is none that Redis was away for: all of them have that time again', async () => {
    await harness.park(delivery, SLOW);
    await fallsSilent();
    await saidBefore(OTHER, SILENT_MS - GONE_MS / 2);
    await expectNothingDue();
    await saidBefore(harness.worker, SILENT_MS);
    expect(await says(OTHER)).toEqual([1, 0]);
  });

  test('is none where Redis may not be asked for who listens', async () => {
    const user = `deaf-${harness.prefix}`;
    await connection.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', '-pubsub');
    const uri = new URL(harness.uri);
    uri.username = user;
    uri.password = 'secret';
    const far = await StoreHarness.open({ uri: uri.href, prefix: harness.prefix });
    try {
      await harness.park(delivery, SLOW);
      await fallsSilent();
      expect(await far.store.call('relayPresent', OTHER, GONE_MS, MOST)).toEqual([0, 0]);
    } finally {
      await far.close();
      await connection.call('ACL', 'DELUSER', user);
    }
  });

  test('changes nothing that was decided, or is attempted elsewhere', async () => {
    const [settled, failed, taken, again] = deliveries(destination, 4) as [
      Delivery,
      Delivery,
      Delivery,
      Delivery,
    ];
    for (const each of [settled, failed, again]) await harness.park(each, SLOW);
    await harness.park(taken, { ...SLOW, ...DUE_NOW });
    await harness.deliveries.settle(settled.id, 'delivered');
    const record = { attempt: 1, at: 1, durationMs: 1, outcome: FAILED };
    await harness.parking.failed(failed, record);
    await harness.withRedis((redis) => redis.zadd(keyOf('retry:delayed'), Date.now() * 4096 + 1, failed.id));
    const held: Held[] = [];
    for (let count = 0; count < 2; count++) {
      const fetched = await harness.fetch();
      if (fetched?.kind === 'due') held.push(fetched.delivery);
    }
    expect(held.map(({ id }) => id).sort()).toEqual([failed.id, taken.id].sort());
    await fallsSilent();
    expect(await says(OTHER)).toEqual([1, 0]);
    expect(await harness.line(destination)).toMatchObject({ delivered: 1, parked: 3, difference: 0 });
    expect(await (await harness.store.queue.getJob(taken.id))?.getState()).toBe('active');
    // It thaws, or its answer was on its way: another worker took the delivery since.
    const next = await harness.fetch();
    expect(next?.kind === 'due' && next.delivery.id).toBe(again.id);
    await harness.parking.failed(again, record);
    expect(await (await harness.store.queue.getJob(again.id))?.getState()).toBe('active');
  });

  test('that was not is there again, with what it has under way since', async () => {
    await harness.park(delivery, SLOW);
    await fallsSilent();
    expect(await says(OTHER)).toEqual([1, 0]);
    const [, later] = deliveries(destination, 2) as [Delivery, Delivery];
    await says(harness.worker);
    await harness.park(later, SLOW);
    expect(await says(OTHER)).toEqual([0, 0]);
    expect(await dueInMs(later.id)).toBeGreaterThan(60_000);
  });

  test('had more under way than one step makes due: the same look goes on', async () => {
    const all = deliveries(destination, 2 * MOST + 3);
    await Promise.all(all.map((each) => harness.park(each, SLOW)));
    await fallsSilent();
    const freed: number[] = [];
    const presence = new Presence({
      store: harness.store,
      subscriptions: { subscribe: async () => undefined },
      worker: OTHER,
      onFreed: (count) => freed.push(count),
      onError: (error) => {
        throw error;
      },
    });
    presence.start();
    await eventually(() => (freed.length > 0 ? true : undefined), 'all of them are due');
    await presence.stop();
    expect(freed).toEqual([all.length]);
  });

  test('was chosen to try a destination that is not well: another one is', async () => {
    const health = new HealthHarness(harness.store);
    const key = delivery.id.slice(-8);
    await harness.store.call('relayUnwell', key, destination.id, 0, 0, 0, 'TIMEOUT', 0, 0, '', '');
    await says(health.worker);
    await says(OTHER);
    expect(await harness.store.call('relayClaimProbe', key, health.worker, 60_000)).toBe(0);
    expect(await harness.store.call('relayClaimProbe', key, OTHER, 60_000)).toBeGreaterThan(0);
    await saidBefore(health.worker, SILENT_MS);
    await says(OTHER);
    expect(await harness.store.call('relayClaimProbe', key, OTHER, 60_000)).toBe(0);
  });
});
