import { inspectAddresses } from '../../src/doctor/address-findings';
import { DELIVERED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';

/** Two workers of one Redis whose global webhooks have different addresses, as while a change of it is rolled out. */
let bench: StoreHarness;
let old: FakeDestination;
let fresh: FakeDestination;
beforeEach(async () => {
  bench = await StoreHarness.open();
  old = new FakeDestination('webhook:global');
  old.address = 'olda';
  old.answer = DELIVERED;
  fresh = new FakeDestination('webhook:global');
  fresh.address = 'newa';
  fresh.answer = REJECTED;
});
afterEach(() => bench.close());

const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;
/** Longer than an address lives that nobody says any more. */
const LATER_MS = 31_000;

/** As if nobody had said anything for a while but those that have `living`. */
async function age(living: string): Promise<void> {
  await bench.withRedis(async (redis) => {
    const key = `{${bench.prefix}}:addresses`;
    for (const entry of await redis.zrange(key, '0', '-1'))
      if (living === 'nobody' || (entry !== living && entry !== '-'))
        await redis.zincrby(key, -LATER_MS, entry);
  });
}

describe('workers with different addresses for a global destination (03d)', () => {
  test('a retry goes to the address that it was parked for, while a worker lives that has it', async () => {
    const parked = deliveries(old, 30);
    for (const delivery of parked) await bench.park(delivery, DUE);
    const others = bench.roster([fresh]);
    bench.startWorker({ destinations: [fresh], addresses: others });
    await eventually(
      async () => ((await bench.store.queue.getDelayedCount()) === 30 ? true : undefined),
      'all left to the others',
    );
    const own = bench.roster([old]);
    await own.announce();
    bench.startWorker({ destinations: [old], addresses: own });
    await bench.untilLine(old, { delivered: 30, parked: 0, dead: 0, difference: 0 });
    expect([old.attempts.length, fresh.attempts.length]).toEqual([30, 0]);
    expect(new Set(old.attempts.map(({ attempt }) => attempt))).toEqual(new Set([2]));
    expect(bench.disagreements.all).toEqual(['webhook:global']);
  });

  test('a worker without the destination gives up nothing that one with it parked', async () => {
    for (const delivery of deliveries(old, 5)) await bench.park(delivery, DUE);
    bench.startWorker({ destinations: [], addresses: bench.roster([]) });
    await eventually(
      async () => ((await bench.store.queue.getDelayedCount()) === 5 ? true : undefined),
      'all left to the others',
    );
    expect(bench.dead.all).toEqual([]);
  });

  test('once nobody lives that has the old address, what is parked goes to the new one', async () => {
    fresh.answer = DELIVERED;
    for (const delivery of deliveries(old, 5)) await bench.park(delivery, DUE);
    const roster = bench.roster([fresh]);
    await roster.announce();
    await age('webhook:global newa');
    await roster.announce();
    bench.startWorker({ destinations: [fresh], addresses: roster });
    await bench.untilLine(fresh, { delivered: 5, parked: 0, difference: 0 });
    expect(fresh.attempts).toHaveLength(5);
  });

  test('time in which nobody could say anything makes nobody dead', async () => {
    for (const delivery of deliveries(old, 5)) await bench.park(delivery, DUE);
    await age('nobody');
    const roster = bench.roster([fresh]);
    await roster.announce();
    bench.startWorker({ destinations: [fresh], addresses: roster });
    await eventually(
      async () => ((await bench.store.queue.getDelayedCount()) === 5 ? true : undefined),
      'all left to the others',
    );
    expect(fresh.attempts).toHaveLength(0);
  });

  test('where all agree nothing is asked for a delivery, and none waits', async () => {
    old.answer = DELIVERED;
    const same = new FakeDestination('webhook:global');
    same.address = 'olda';
    same.answer = DELIVERED;
    for (const delivery of deliveries(old, 20)) await bench.park(delivery, DUE);
    let asked = 0;
    const call = bench.store.call.bind(bench.store);
    bench.store.call = (script, ...args) => {
      if (script === 'relayAnnounce') asked++;
      return call(script, ...args);
    };
    bench.startWorker({ destinations: [same], addresses: bench.roster([same]) });
    await bench.untilLine(same, { delivered: 20, parked: 0, difference: 0 });
    expect(asked).toBe(0);
  });

  test('doctor says so while living workers disagree, and is content where they agree', async () => {
    expect(await inspectAddresses(bench.store)).toEqual([]);
    await bench.roster([old]).announce();
    expect(await inspectAddresses(bench.store)).toEqual([expect.objectContaining({ state: 'ok' })]);
    await bench.roster([fresh]).announce();
    expect(await inspectAddresses(bench.store)).toEqual([
      expect.objectContaining({ state: 'trouble', detail: expect.stringContaining('webhook:global has 2') }),
    ]);
  });
});
