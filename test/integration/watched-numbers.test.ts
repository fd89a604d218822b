import { AuditWatch } from '../../src/ledger/audit-watch';
import { destinationKey } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';

const SOON = { decision: { kind: 'retry', delayMs: 0 } } as const;

let harness: StoreHarness;
beforeEach(async () => {
  harness = await StoreHarness.open();
});
afterEach(() => harness.close());

describe('retries that are due', () => {
  const destination = new FakeDestination();
  const parkThree = (others: Parameters<StoreHarness['park']>[1]): Promise<unknown> =>
    Promise.all([1, 2, 3].map((n) => harness.park(deliveryTo(destination, eventBody(n)), others)));

  test('are those whose time has come, before they stand in a line and while they do', async () => {
    await parkThree({});
    expect(await harness.store.dueCount()).toBe(0);
    await harness.store.queue.promoteJobs();
    expect(await harness.store.dueCount()).toBe(3);
    await harness.openQueue().next({ wishes: new Map(), putOff: new Map(), bytes: 1 });
    expect(await harness.store.dueCount()).toBe(3);
  });

  test('are none while their destination may not be attempted', async () => {
    await parkThree(SOON);
    const { lines } = await harness.openQueue().next({ wishes: new Map(), putOff: new Map(), bytes: 1 });
    const [key = ''] = lines.map((line) => line.key);
    await harness.store.call('relaySuspend', key, destination.id);
    expect(await harness.store.dueCount()).toBe(0);
  });
});

describe("the audit's difference", () => {
  test('is found by one worker, and known to all', async () => {
    const destination = new FakeDestination();
    const accepted = `${destinationKey(destination.id)}:accepted`;
    await harness.park(deliveryTo(destination));
    const [one, other] = [new AuditWatch(harness.store), new AuditWatch(harness.store)];
    const none = { difference: 0, differences: new Map() };
    expect(await one.found()).toEqual(none);
    await harness.withRedis((redis) => redis.hincrby(`{${harness.prefix}}:audit`, accepted, 2));
    expect(await other.found()).toEqual(none);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:audit-turn`));
    const two = { difference: 2, differences: new Map([[destination.id, 2]]) };
    expect([await other.found(), await one.found()]).toEqual([two, two]);
    // An earlier version writes the sum alone.
    await harness.withRedis((redis) => redis.set(`{${harness.prefix}}:audit-difference`, 0));
    expect(await one.found()).toEqual(none);
  });
});
