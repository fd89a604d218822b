import type { Delivery, LaneId } from '../../src/pipeline/delivery';
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

test('the older one’s place in the line of the destination, wherever the newer one was to wait', async () => {
  const IN_LINE = { decision: { kind: 'in-line' } } as const;
  const lineOf = async (): Promise<unknown[]> => {
    const taken = [];
    for (let next = await harness.fetch(); next?.kind === 'due'; next = await harness.fetch())
      taken.push(next.delivery.id);
    return taken;
  };
  await harness.park(presence(100, 'in-line'), IN_LINE);
  await harness.park(presence(100, 'later'), IN_LINE);
  await harness.park(presence(100, 'delayed'), LATER);
  await harness.park(presence(100, 'other'), IN_LINE);
  await harness.park(presence(200, 'later'), LATER);
  await harness.park(presence(200, 'in-line'), IN_LINE);
  await harness.park(presence(300, 'in-line'), IN_LINE);
  await harness.park(presence(200, 'delayed'), IN_LINE);
  expect(await lineOf()).toEqual([
    presence(300, 'in-line').id,
    presence(200, 'later').id,
    presence(200, 'delayed').id,
    presence(100, 'other').id,
  ]);
  expect(harness.superseded.all).toHaveLength(4);
  expect(await harness.line(destination)).toMatchObject({ accepted: 8, discarded: 4, difference: 0 });
});

test('one that took the place of another and found no room keeps that place, and what was replaced is not taken', async () => {
  const IN_LINE = { decision: { kind: 'in-line' } } as const;
  await harness.park(presence(100), IN_LINE);
  await harness.park(presence(100, 'b'), IN_LINE);
  await harness.park(presence(200), IN_LINE);
  const first = await harness.fetch();
  if (first?.kind !== 'due') throw new Error('nothing is due');
  expect(first.delivery.id).toBe(presence(200).id);
  await harness.deliveries.giveBack(first.delivery, 'in-line');
  const again = await harness.fetch();
  expect(again?.kind === 'due' && again.delivery.id).toBe(presence(200).id);
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
  // The worker's end waits for those of others that became due meanwhile.
  destination.answer = DELIVERED;
  for (const { end } of destination.attempts) end(DELIVERED);
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

test('what is in a lane replaces nothing, and nothing replaces it', async () => {
  const lane = 'lane-of-a-chat' as LaneId;
  const [older, newer, newest] = [presence(100), presence(200), presence(300)];
  await harness.park(older, LATER);
  await harness.park({ ...newer, lane }, LATER);
  await harness.laneParking.append(lane, [{ ...newest, lane }], false);
  expect(harness.superseded.all).toEqual([]);
  expect(await harness.line(destination)).toMatchObject({
    accepted: 3,
    parked: 3,
    discarded: 0,
    difference: 0,
  });
});

test('one that entered a lane since it was the newest is not replaced', async () => {
  const [older, newer] = [presence(100), presence(200)];
  await harness.park(older, LATER);
  await harness.deliveries.settle(older.id, 'delivered');
  await harness.park({ ...older, lane: 'lane-of-a-chat' as LaneId }, LATER);
  await harness.park(newer, LATER);
  expect(harness.superseded.all).toEqual([]);
  expect(await parked()).toHaveLength(2);
});
