import { FlowStore } from '../../src/ledger/flow-store';
import { destinationKey } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';

const IN_LINE = {
  decision: { kind: 'in-line' },
  reason: 'circuit-open',
  attemptsMade: 0,
  history: [],
} as const;
const shop = new FakeDestination('webhook:instance/loja');
const other = new FakeDestination('webhook:instance/bar');

let harness: StoreHarness;
let flows: FlowStore;
beforeEach(async () => {
  harness = await StoreHarness.open();
  flows = new FlowStore(harness.store);
  for (const delivery of deliveries(shop, 3)) await harness.park(delivery, IN_LINE);
  for (const delivery of deliveries(other, 2, 10)) await harness.park(delivery, IN_LINE);
  await harness.store.call('relayCount', destinationKey(shop.id), shop.id, 7, 1);
});
afterEach(() => harness.close());

describe('the flow', () => {
  test('is the audit’s numbers added up, which balance', async () => {
    const flow = await flows.read();
    expect(flow).toMatchObject({
      accepted: 13,
      delivered: 7,
      discarded: 1,
      parked: 5,
      dead: 0,
      difference: 0,
    });
    expect(flow).toMatchObject({ received: 0, queues: [], reportedMsAgo: undefined });
    expect(await flows.readOf([shop.id])).toEqual({
      accepted: 11,
      delivered: 7,
      discarded: 1,
      parked: 3,
      dead: 0,
    });
    expect(await flows.readOf([])).toMatchObject({ accepted: 0, parked: 0 });
  });

  test('shows a difference where something is unaccounted for', async () => {
    await harness.store.call('relayCount', destinationKey(other.id), other.id, 1, 0);
    expect((await flows.read()).difference).toBe(0);
    const id = (await harness.store.queue.getRanges(['delayed'], 0, 0))[0] ?? '';
    await harness.withRedis((redis) => redis.zrem(`${harness.store.prefix}:parked`, id));
    expect((await flows.read()).difference).toBe(1);
  });

  test('has the queues of workers with other sources beside each other, each as it was reported last', async () => {
    const [one, two] = [new FlowStore(harness.store), new FlowStore(harness.store)];
    await one.report(0, [
      { queue: 'a', messages: 5 },
      { queue: 'shared', messages: 1 },
    ]);
    await two.report(0, [
      { queue: 'b', messages: 3 },
      { queue: 'shared', messages: 2 },
    ]);
    const both = [
      { queue: 'a', messages: 5 },
      { queue: 'b', messages: 3 },
      { queue: 'shared', messages: 2 },
    ];
    expect((await flows.read()).queues).toEqual(both);
    await one.report(0, [
      { queue: 'shared', messages: 4 },
      { queue: 'a', messages: 6 },
    ]);
    expect((await flows.read()).queues).toEqual([
      { queue: 'a', messages: 6 },
      { queue: 'shared', messages: 4 },
      { queue: 'b', messages: 3 },
    ]);
  });

  test('has what workers report, and leaves out what is no queue', async () => {
    await flows.report(5, [
      { queue: 'small', messages: 1 },
      { queue: 'large', messages: 9, consumers: 2 },
    ]);
    await flows.report(
      4,
      Array.from({ length: 500 }, (_, index) => ({ queue: `q${index}`, messages: index })),
    );
    const { received, queues, reportedMsAgo } = await flows.read();
    expect([received, queues.length, queues[0]]).toEqual([9, 202, { queue: 'q499', messages: 499 }]);
    expect(reportedMsAgo).toBeGreaterThanOrEqual(0);
    for (const damaged of ['nonsense', '{}', '[1,{"queue":1,"messages":2},null]']) {
      await harness.withRedis(async (redis) => {
        for (const key of await redis.keys(`${harness.store.prefix}:queues:*`)) await redis.set(key, damaged);
      });
      expect((await flows.read()).queues).toEqual([]);
    }
  });

  test('is written down once a minute, whoever does it', async () => {
    const second = new FlowStore(harness.store);
    await Promise.all([flows.sample(), second.sample(), flows.sample()]);
    const history = await flows.history(60);
    // The minute may end between two of them.
    expect([1, 2]).toContain(history.length);
    expect(history.at(-1)).toMatchObject({ accepted: 13, delivered: 7, discarded: 1, parked: 5, dead: 0 });
    const lines = await harness.withRedis((redis) => redis.zcard(`${harness.store.prefix}:history`));
    expect(lines).toBe(history.length);
  });
});
