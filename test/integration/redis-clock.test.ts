import { destinationKey } from '../../src/pipeline/delivery';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';

const HOUR_MS = 3_600_000;
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
    for (const key of await redis.keys(`{${harness.prefix}}:*`)) {
      const left = await redis.pttl(key);
      if (left > 0) await redis.pexpire(key, left + HOUR_MS);
    }
  });
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
