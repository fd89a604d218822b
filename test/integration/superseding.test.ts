import type { Delivery } from '../../src/pipeline/delivery';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { deliveryTo, eventBody } from '../support/values/events';

let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:instance/loja');
  destination.limits = { coalesce: { events: new Set(['PRESENCE_UPDATE']), withinMs: 10_000 } };
});
afterEach(() => {
  harness.needless.close();
  return harness.close();
});

function presence(at: number, chat = 'a'): Delivery {
  const data = { id: chat, presences: { [chat]: { lastKnownPresence: String(at) } } };
  const dateTime = new Date(Date.UTC(2026, 0, 1) + at).toISOString();
  return deliveryTo(destination, eventBody(0, { event: 'presence.update', date_time: dateTime, data }));
}

const parked = (): Promise<string[]> =>
  harness.store.queue.getDelayed().then((jobs) => jobs.map(({ id = '' }) => id));
const LATER = { decision: { kind: 'retry', delayMs: 3_600_000 } } as const;
const SOON = { decision: { kind: 'retry', delayMs: 60_000 } } as const;

test('a newer one that is parked takes the place of the older: its turn, and no more of the share', async () => {
  const [older, newer] = [presence(100), presence(200)];
  await harness.park(older, SOON);
  await harness.park(newer, LATER);
  expect(await parked()).toEqual([newer.id]);
  const delay = await harness.store.queue.getDelayed().then(([job]) => job?.delay ?? 0);
  expect(delay).toBeLessThanOrEqual(60_000);
  expect(harness.superseded.all).toHaveLength(1);
  expect(await harness.line(destination)).toMatchObject({
    accepted: 2,
    parked: 1,
    discarded: 1,
    difference: 0,
  });
});

test('and so does one that begins at once', async () => {
  await harness.park(presence(100));
  await harness.park(presence(100, 'b'));
  harness.parking.begins(presence(200));
  await harness.superseded.count(1);
  expect(await parked()).toEqual([presence(100, 'b').id]);
  expect(await harness.line(destination)).toMatchObject({
    accepted: 2,
    parked: 1,
    discarded: 1,
    difference: 0,
  });
});

test('an older one, one of the same moment, one of long before, and one about another chat replace nothing', async () => {
  await harness.park(presence(20_000));
  await harness.park(presence(15_000));
  await harness.park(presence(20_000, 'b'));
  await harness.park(presence(31_000, 'b'));
  expect(await parked()).toHaveLength(4);
  // The newest is still the one to be replaced.
  await harness.park(presence(25_000));
  expect(new Set(await parked())).toEqual(
    new Set([presence(15_000).id, presence(25_000).id, presence(20_000, 'b').id, presence(31_000, 'b').id]),
  );
  expect(await harness.line(destination)).toMatchObject({ accepted: 5, discarded: 1, difference: 0 });
});

test('one that is under attempt stays: parked as slow, held by a worker, or put back as slow', async () => {
  await harness.park(presence(100), { reason: 'slow' });
  await harness.park(presence(200));
  expect(await parked()).toHaveLength(2);
  await harness.parking.failed(presence(100), { attempt: 1, at: 0, durationMs: 1, outcome: FAILED });

  const held = presence(300, 'held');
  await harness.park(held, { decision: { kind: 'retry', delayMs: 0 } });
  harness.startWorker({ destinations: [destination], slowAfterMs: 1 });
  await eventually(async () => (destination.attempts.length > 0 ? true : undefined), 'an attempt');
  await harness.park(presence(400, 'held'), LATER);
  expect(harness.superseded.all).toEqual([]);
  await eventually(
    async () => ((await parked()).includes(held.id) ? true : undefined),
    'the slow one put back',
  );
  await harness.park(presence(500, 'held'), LATER);
  expect(await parked()).toContain(held.id);
  const [attempt] = destination.attempts.filter(({ delivery }) => delivery.id === held.id);
  attempt?.end(DELIVERED);
  await harness.untilLine(destination, { delivered: 1, difference: 0 });
});

test('a dead letter stays, and what is sent twice counts once', async () => {
  await harness.bury([presence(100)]);
  await harness.park(presence(200));
  await harness.park(presence(200));
  for (let count = 0; count < 2; count++) harness.parking.begins(presence(300));
  await harness.superseded.count(1);
  expect(await harness.line(destination)).toMatchObject({
    accepted: 2,
    dead: 1,
    discarded: 1,
    difference: 0,
  });
  expect(harness.superseded.all).toHaveLength(1);
});
