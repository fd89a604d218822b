import type { Delivery } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { expectExact } from '../support/harness/share-check';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { deliveryTo } from '../support/values/events';
import { nth } from '../support/values/items';

let harness: StoreHarness;
let destination: FakeDestination;
let delivery: Delivery;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:instance/loja-centro');
  delivery = deliveryTo(destination);
});
afterEach(() => harness.close());

describe('records that somebody changed', () => {
  const others = (): Delivery[] => deliveries(destination, 3, 10);
  const jobKey = (): string => harness.store.queue.toKey(delivery.id);
  const dueNow = { decision: { kind: 'retry', delayMs: 0 } } as const;

  test.each([
    ['is no JSON', '{"v":1,'],
    ['lacks what a delivery has', '{"v":1,"d":"webhook:global"}'],
    ['has a body that cannot be unpacked', undefined],
  ])(
    'one whose data %s becomes a dead letter of its own reason, and others are delivered',
    async (_what, text) => {
      await harness.park(delivery, dueNow);
      await harness.withRedis(async (redis) => {
        const data = text ?? (await redis.hget(jobKey(), 'data'))?.replace(/"b":"[^"]*"/, '"b":"!!!!"') ?? '';
        await redis.hset(jobKey(), 'data', data);
      });
      for (const other of others()) await harness.park(other, dueNow);
      destination.answer = { kind: 'delivered' };
      harness.startWorker({ destinations: [destination] });
      await harness.untilLine(destination, { accepted: 4, delivered: 3, dead: 1, parked: 0 });
      expect(harness.dead.all).toEqual(['unreadable']);
      const letters = [];
      for await (const letter of harness.deadLetters.list()) letters.push(letter);
      expect(letters).toMatchObject([{ id: delivery.id, reason: 'unreadable', destination: destination.id }]);
      expect((await harness.deadLetters.show(delivery.id))?.id).toBe(delivery.id);
      expect(await harness.deadLetters.expire(-60_000, 1000)).toBe(1);
      await expectExact(harness);
    },
  );

  test('one of a later version waits for a worker that reads it', async () => {
    await harness.park(delivery, dueNow);
    await harness.withRedis((redis) => redis.hset(jobKey(), 'data', '{"v":99}'));
    const [other] = others();
    await harness.park(nth([other], 0) as Delivery, dueNow);
    destination.answer = { kind: 'delivered' };
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 2, delivered: 1, parked: 1 });
    expect(harness.dead.all).toEqual([]);
  });

  test('one whose record is gone, or no hash any more, is told, and others are delivered', async () => {
    const [first, second, third] = others();
    for (const parked of [first, second, third]) await harness.park(nth([parked], 0) as Delivery, dueNow);
    await harness.withRedis(async (redis) => {
      await redis.del(harness.store.queue.toKey(first?.id ?? ''));
      await redis.del(harness.store.queue.toKey(second?.id ?? ''));
      await redis.set(harness.store.queue.toKey(second?.id ?? ''), 'x');
    });
    destination.answer = { kind: 'delivered' };
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 3, delivered: 1, parked: 0, difference: 2 });
    expect([...(await harness.missing.count(2))].sort()).toEqual([first?.id, second?.id].sort());
  });

  test('odd dead letters neither hide nor keep others', async () => {
    const buried = others();
    await harness.bury(buried);
    const [first, second] = buried;
    await harness.withRedis(async (redis) => {
      await redis.hset(harness.store.queue.toKey(first?.id ?? ''), 'data', 'x', 'finishedOn', 'y');
      await redis.del(harness.store.queue.toKey(second?.id ?? ''));
      await redis.set(harness.store.queue.toKey(second?.id ?? ''), 'x');
      await redis.zadd(harness.store.queue.toKey('failed'), 1, 'x');
    });
    const letters = [];
    for await (const { id, detail } of harness.deadLetters.list()) letters.push([id, detail]);
    expect(letters).toHaveLength(4);
    expect(letters.filter(([, detail]) => detail === 'RECORD_UNREADABLE')).toHaveLength(3);
    expect(await harness.deadLetters.expire(-60_000, 1000)).toBe(4);
    expect(await harness.deadLetters.count()).toBe(0);
  });
});
