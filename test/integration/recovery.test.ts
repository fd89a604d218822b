import { setTimeout as delay } from 'node:timers/promises';
import type { DestinationId } from '../../src/pipeline/delivery';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';

const IN_LINE = {
  decision: { kind: 'in-line' },
  reason: 'circuit-open',
  attemptsMade: 0,
  history: [],
} as const;
const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;

let harness: StoreHarness;
beforeEach(async () => {
  harness = await StoreHarness.open();
});
afterEach(() => harness.close());

const answering = (id: string): FakeDestination => {
  const destination = new FakeDestination(id);
  destination.answer = DELIVERED;
  return destination;
};
const keyOf = (name: string): string => `{${harness.prefix}}:${name}`;
const parkAll = (destination: FakeDestination, count: number, first = 0): Promise<unknown> =>
  Promise.all(deliveries(destination, count, first).map((delivery) => harness.park(delivery, IN_LINE)));

describe('what is parked for a destination', () => {
  test('is delivered in the order in which it was parked, whatever its due times are', async () => {
    const destination = new FakeDestination('webhook:global');
    const all = deliveries(destination, 20);
    for (const [index, delivery] of all.entries())
      await harness.park(
        delivery,
        index % 2 === 0 ? IN_LINE : { decision: { kind: 'retry', delayMs: 20 - index } },
      );
    await delay(50);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination], concurrency: 1 });
    await harness.untilLine(destination, { delivered: 20, parked: 0, difference: 0 });
    expect(destination.attempts.map(({ delivery }) => delivery.id)).toEqual(all.map(({ id }) => id));
  });

  test('that an older version parked goes on, and what lies in a line is found without it', async () => {
    const destination = answering('webhook:global');
    await parkAll(destination, 5);
    for (const delivery of deliveries(destination, 5, 5)) await harness.park(delivery, DUE);
    // As an older version leaves it: no lines. Those that are in one are due within the hour.
    await harness.withRedis(async (redis) => {
      await redis.del(...(await redis.keys(keyOf('line*').replace(/[{}]/g, '?'))));
      const latest = await redis.zrange(keyOf('retry:delayed'), '0', '-1', 'WITHSCORES');
      expect(Math.max(...latest.filter((_, index) => index % 2 === 1).map(Number)) / 4096).toBeLessThan(
        Date.now() + 3_700_000,
      );
      for (const [index, id] of latest.entries())
        if (index % 2 === 0) await redis.zadd(keyOf('retry:delayed'), 1, id);
    });
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 10, parked: 0, difference: 0 });
  });

  test('of many thousands holds up nobody else: destinations take turns', async () => {
    const crowded = answering('webhook:instance/crowded');
    await parkAll(crowded, 3000);
    const others = Array.from({ length: 20 }, (_, index) => answering(`webhook:instance/other-${index}`));
    for (const [index, other] of others.entries()) await parkAll(other, 2, 10_000 + 10 * index);
    harness.startWorker({ destinations: [crowded, ...others], concurrency: 20 });
    const beforeOthers = await eventually(
      () => (others.every(({ attempts }) => attempts.length === 2) ? crowded.attempts.length : undefined),
      'all of the others',
    );
    expect(beforeOthers).toBeLessThan(1000);
    await harness.untilLine(crowded, { delivered: 3000, parked: 0, difference: 0 });
  });

  test('costs nothing while its destination may not be attempted', async () => {
    const dead = new FakeDestination('webhook:global');
    await parkAll(dead, 2000);
    await harness.store.call('relayUnwell', ...unwell(dead.id));
    harness.startWorker({ destinations: [dead] });
    const calls = jest.spyOn(harness.store, 'call');
    await eventually(() => (calls.mock.calls.length >= 8 ? true : undefined), 'eight looks');
    // Nothing is wished for, and the line is not named.
    for (const { value } of calls.mock.results)
      expect(await value).toEqual([expect.any(Number), [], [], [], []]);
    calls.mockRestore();
    expect(dead.attempts).toHaveLength(0);
    dead.answer = DELIVERED;
    await harness.store.call('relayWell', ...unwell(dead.id).slice(0, 1), 0);
    await harness.untilLine(dead, { delivered: 2000, parked: 0, difference: 0 });
  });

  test('that is settled, buried or removed with BullMQ’s tools leaves no place in the line behind', async () => {
    const destination = answering('webhook:global');
    const [settled, removed, expired] = deliveries(destination, 3);
    for (const delivery of [settled, removed, expired])
      if (delivery !== undefined) await harness.park(delivery, IN_LINE);
    if (settled !== undefined) await harness.deliveries.settle(settled.id, 'delivered');
    await (await harness.store.queue.getJob(removed?.id ?? ''))?.remove();
    await harness.store.call('relayExpireParked', -1000, 10, 0);
    harness.startWorker({ destinations: [destination] });
    await eventually(
      async () => ((await harness.keyNames()).some((name) => /:lines?(:|$)/.test(name)) ? undefined : true),
      'no line',
    );
    expect(destination.attempts).toHaveLength(0);
  });
});

function unwell(id: DestinationId): (string | number)[] {
  const key = deliveries(new FakeDestination(id), 1)[0]?.id.slice(-8) ?? '';
  return [key, id, 3_600_000, 0, 0, 'TIMEOUT', 0, 0, '', ''];
}
