import type { Delivery, DestinationId } from '../../src/pipeline/delivery';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { sharesOf } from '../support/harness/share-check';
import { deliveries, StoreHarness, type StoreHarnessOptions } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';
import { nth } from '../support/values/items';

let harness: StoreHarness;
afterEach(() => harness.close());

const open = async (options: StoreHarnessOptions = {}): Promise<void> => {
  harness = await StoreHarness.open(options);
};
const destinationOf = (instance: string): FakeDestination =>
  new FakeDestination(`webhook:instance/${instance}`);
const bodyFrom = (instance: string, index: number): Buffer => eventBody(index, { instance });

async function letters(): Promise<{ reason: string; destination: string; id: string }[]> {
  const found = [];
  for await (const { reason, destination, id } of harness.deadLetters.list())
    found.push({ reason, destination, id });
  return found;
}

describe('parked deliveries of one instance (finding 1.6)', () => {
  test('take no more of Redis than their share; the rest are dead letters of a reason of their own', async () => {
    await open({ limits: { perInstance: 4000, perGlobalDestination: 0 } });
    const noisy = destinationOf('noisy');
    for (const delivery of deliveries(noisy, 20)) await harness.park(delivery);
    const line = await harness.line(noisy);
    expect(line).toMatchObject({ accepted: 20, difference: 0 });
    expect(line?.parked).toBeGreaterThan(2);
    expect(line?.parked).toBeLessThan(8);
    expect(harness.dead.all).toEqual(new Array(20 - (line?.parked ?? 0)).fill('parked-limit'));
    expect(harness.parked.all).toHaveLength(line?.parked ?? 0);
    const quiet = destinationOf('quiet');
    const others = Array.from({ length: 3 }, (_, index) => deliveryTo(quiet, bodyFrom('quiet', index)));
    for (const delivery of others) await harness.park(delivery);
    expect(await harness.line(quiet)).toMatchObject({ parked: 3, dead: 0 });
  });

  test('and room that comes free is used again', async () => {
    await open({ limits: { perInstance: 2000, perGlobalDestination: 0 } });
    const noisy = destinationOf('noisy');
    const [first, second, third, fourth] = deliveries(noisy, 4).map((delivery) => delivery);
    for (const delivery of [first, second, third]) await harness.park(nth([delivery], 0) as Delivery);
    expect(await harness.line(noisy)).toMatchObject({ parked: 2, dead: 1 });
    await harness.parking.delivered(nth([first], 0) as Delivery);
    await harness.park(nth([fourth], 0) as Delivery);
    expect(await harness.line(noisy)).toMatchObject({ delivered: 1, parked: 2, dead: 1, difference: 0 });
  });

  test('the operator’s global destination has a bound of its own, whatever a tenant has used', async () => {
    await open({ limits: { perInstance: 2000, perGlobalDestination: 8000 } });
    for (const delivery of deliveries(destinationOf('loja-centro'), 5)) await harness.park(delivery);
    const global = new FakeDestination('webhook:global');
    for (const delivery of deliveries(global, 20, 100)) await harness.park(delivery);
    const line = await harness.line(global);
    expect(line?.parked).toBeGreaterThan(6);
    expect(line?.dead).toBeGreaterThan(5);
  });
});

describe('dead letters of one instance (finding 1.6)', () => {
  test.each([
    ['count', { maxCount: 5, maxBytes: 0 }],
    ['bytes', { maxCount: 0, maxBytes: 5000 }],
  ])('push out their own oldest beyond the %s, and nobody else’s', async (_what, deadLetterShare) => {
    await open({ deadLetterShare });
    const quiet = destinationOf('quiet');
    await harness.bury([deliveryTo(quiet, bodyFrom('quiet', 1))]);
    const noisy = destinationOf('noisy');
    const many = deliveries(noisy, 30);
    for (const delivery of many) await harness.bury([delivery]);
    expect(await harness.line(quiet)).toMatchObject({ dead: 1, discarded: 0 });
    const line = await harness.line(noisy);
    expect(line).toMatchObject({ accepted: 30, difference: 0 });
    expect(line?.dead).toBeGreaterThan(2);
    expect(line?.dead).toBeLessThan(8);
    const newest = many.slice(-(line?.dead ?? 0)).map(({ id }) => id as string);
    const ids = (await letters()).filter(({ destination }) => destination === noisy.id).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(newest));
    const { counted, found } = await sharesOf(harness);
    expect(counted).toEqual(found);
  });

  test('one that is larger than the share stays', async () => {
    await open({ deadLetterShare: { maxCount: 0, maxBytes: 10 } });
    const noisy = destinationOf('noisy');
    await harness.bury(deliveries(noisy, 2));
    expect(await harness.line(noisy)).toMatchObject({ dead: 1, discarded: 1, difference: 0 });
  });

  test('of a global destination count for the instance whose events they are', async () => {
    await open({ deadLetterShare: { maxCount: 2, maxBytes: 0 } });
    const global = new FakeDestination('webhook:global');
    await harness.bury([deliveryTo(global, bodyFrom('quiet', 1))]);
    for (let index = 0; index < 6; index++)
      await harness.bury([deliveryTo(global, bodyFrom('noisy', index))]);
    expect(await harness.line(global)).toMatchObject({ accepted: 7, dead: 3, discarded: 4 });
  });

  test('beyond the count of all, whoever has most loses its oldest', async () => {
    await open();
    const [quiet, noisy] = [destinationOf('quiet'), destinationOf('noisy')];
    await harness.bury([deliveryTo(quiet, bodyFrom('quiet', 1))]);
    for (const delivery of deliveries(noisy, 6)) await harness.bury([delivery]);
    expect(await harness.deadLetters.expire(86_400_000, 3)).toBe(4);
    expect([await harness.line(quiet), await harness.line(noisy)]).toMatchObject([
      { dead: 1 },
      { dead: 2, discarded: 4 },
    ]);
  });

  test('a limit that became smaller is kept from the next look on', async () => {
    await open({ deadLetterShare: { maxCount: 2, maxBytes: 0 } });
    const unlimited = await StoreHarness.open({ prefix: harness.prefix });
    await unlimited.bury(deliveries(destinationOf('noisy'), 6));
    expect(await harness.deadLetters.expire(86_400_000, 1000)).toBe(4);
    await unlimited.close();
  });
});

describe('deliveries parked for too long (finding 3.17)', () => {
  const upkeepOf = (parkedMaxAgeMs: number, expired: string[] = []): RetryUpkeep =>
    new RetryUpkeep({
      store: harness.store,
      parkedMaxAgeMs,
      orderedMaxAgeMs: 3_600_000,
      onExpired: (all) => expired.push(...all.map(({ event }) => event)),
      onForward: () => {},
      onMended: () => {},
      onUncounted: () => {},
      onError: (error) => {
        throw error;
      },
    });

  test('become dead letters of a reason of their own, whatever their circuit and their due time', async () => {
    await open();
    const destination = destinationOf('loja-centro');
    const all = deliveries(destination, 450);
    await Promise.all(all.map((delivery) => harness.park(delivery)));
    const expired: string[] = [];
    // A negative age: as if time had passed.
    const upkeep = upkeepOf(86_400_000, expired);
    await upkeep.look();
    expect(await harness.line(destination)).toMatchObject({ parked: 450 });
    await age(all);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:looked`));
    await upkeep.look();
    expect(await harness.line(destination)).toMatchObject({
      accepted: 450,
      parked: 0,
      dead: 450,
      difference: 0,
    });
    expect(new Set((await letters()).map(({ reason }) => reason))).toEqual(new Set(['expired']));
    expect(expired).toHaveLength(450);
    const { counted, found } = await sharesOf(harness);
    expect(counted).toEqual(found);
  });

  test('are looked for by one worker at a time', async () => {
    await open();
    const destination = destinationOf('loja-centro');
    const all = deliveries(destination, 3);
    for (const delivery of all) await harness.park(delivery);
    await age(all);
    const first: string[] = [];
    const second: string[] = [];
    await Promise.all([upkeepOf(1000, first).look(), upkeepOf(1000, second).look()]);
    expect([first.length, second.length].sort()).toEqual([0, 3]);
  });

  test('one that is being attempted is decided by its attempt', async () => {
    await open();
    const destination = destinationOf('loja-centro');
    const all = deliveries(destination, 1);
    await harness.park(nth(all, 0), { decision: { kind: 'retry', delayMs: 0 } });
    expect((await harness.fetch())?.kind).toBe('due');
    await age(all);
    await upkeepOf(1000).look();
    expect(await harness.line(destination)).toMatchObject({ parked: 1, dead: 0 });
    await harness.deliveries.settle(nth(all, 0).id, 'delivered');
    expect(await harness.line(destination)).toMatchObject({ delivered: 1, parked: 0, difference: 0 });
  });

  test('0 days: never', async () => {
    await open();
    const destination = destinationOf('loja-centro');
    const all = deliveries(destination, 1);
    await harness.park(nth(all, 0));
    await age(all);
    await upkeepOf(0).look();
    expect(await harness.line(destination)).toMatchObject({ parked: 1, dead: 0 });
  });

  test('a replayed one has all its time before it', async () => {
    await open();
    const destination = destinationOf('loja-centro');
    const all = deliveries(destination, 1);
    await harness.park(nth(all, 0));
    await age(all);
    await upkeepOf(60_000).look();
    expect(await harness.deadLetters.replay(nth(all, 0).id)).toBe('replayed');
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:looked`));
    await upkeepOf(60_000).look();
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1, dead: 0, difference: 0 });
  });

  const age = (all: readonly Delivery[]): Promise<unknown> =>
    harness.withRedis((redis) =>
      redis.zadd(`{${harness.prefix}}:parked`, ...all.flatMap(({ id }) => [Date.now() - 3_600_000 * 48, id])),
    );
});

describe('an instance whose settings cannot be read (finding 2.1)', () => {
  test('spends no attempt, holds no place, is told once, and comes back when it is mended', async () => {
    await open();
    const [sick, well] = [destinationOf('loja-centro'), destinationOf('quiet')];
    const dueNow = { decision: { kind: 'retry', delayMs: 0 } } as const;
    for (const delivery of deliveries(sick, 30)) await harness.park(delivery, dueNow);
    for (let index = 0; index < 10; index++)
      await harness.park(deliveryTo(well, bodyFrom('quiet', index)), dueNow);
    well.answer = DELIVERED;
    let asked = 0;
    harness.startWorker({
      concurrency: 2,
      destinationOf: async (id: DestinationId) => {
        if (id === well.id) return well;
        asked++;
        throw Object.assign(new Error('not to be read'), { code: 'SETTINGS_UNREADABLE' });
      },
    });
    await harness.untilLine(well, { delivered: 10 });
    expect(await harness.line(sick)).toMatchObject({ accepted: 30, parked: 30, difference: 0 });
    expect(harness.unreadable.all).toEqual(['loja-centro']);
    // Not for each of them.
    expect(asked).toBeLessThan(30);
    const [id] = await harness.store.queue.getRanges(['delayed'], 0, 0, true);
    expect((await harness.store.queue.getJob(id ?? ''))?.attemptsMade).toBe(0);
  });

  test('settings that never come hold a place for some seconds only', async () => {
    await open();
    const sick = destinationOf('loja-centro');
    sick.answer = FAILED;
    await harness.park(nth(deliveries(sick, 1), 0), { decision: { kind: 'retry', delayMs: 0 } });
    harness.startWorker({ concurrency: 1, destinationOf: () => new Promise(() => {}) });
    await harness.untilLine(sick, { parked: 1 });
    const untilBack = async (): Promise<void> => {
      for (;;) {
        const [active, delayed] = [
          await harness.store.queue.getActiveCount(),
          await harness.store.queue.getDelayedCount(),
        ];
        if (active === 0 && delayed === 1) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await untilBack();
  }, 30_000);
});
