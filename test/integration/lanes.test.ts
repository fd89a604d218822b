import { ParkedDeliveries } from '../../src/dead-letters/parked-deliveries';
import { destinationKeyOf, type LaneId } from '../../src/pipeline/delivery';
import { DUE, idsOf, LANE, LaneHarness } from '../support/harness/lane-harness';
import { DELIVERED, FAILED, type FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import type { StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { nth } from '../support/values/items';

let lanes: LaneHarness;
let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  lanes = await LaneHarness.open();
  ({ store: harness, destination } = lanes);
});
afterEach(() => lanes.close());

describe('deliveries of a lane that are stored', () => {
  test('only the first one is due; all count as accepted and parked', async () => {
    await lanes.parkLane(lanes.inLane(5));
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
    expect(await harness.line(destination)).toMatchObject({ accepted: 5, parked: 5, difference: 0 });
    expect(await harness.store.lanes()).toEqual({ waiting: 1, deliveriesBehind: 4 });
    expect(harness.parked.all).toEqual(['failed', 'lane', 'lane', 'lane', 'lane']);
  });

  test('whose first one waits for its turn lie in no line themselves, and follow it in their order', async () => {
    const [first, ...others] = lanes.inLane(4);
    if (first === undefined) throw new Error('there is none');
    await harness.park(first, { decision: { kind: 'in-line' } });
    await harness.laneParking.append(LANE, others, false);
    const key = destinationKeyOf(first.id);
    const line = await harness.withRedis((redis) =>
      redis.zrange(`{${harness.prefix}}:line:${key}`, '0', '-1'),
    );
    expect(line).toEqual([first.id]);
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 4, parked: 0, difference: 0 });
    expect(lanes.attempted).toEqual(idsOf([first, ...others]));
    expect(destination.peak).toBe(1);
    await lanes.leftBehind();
  });

  test('are listed as behind others, and the first one as due', async () => {
    const all = lanes.inLane(3);
    await harness.park(nth(all, 0), { decision: { kind: 'in-line' } });
    await harness.laneParking.append(LANE, all.slice(1), false);
    const listed = new Map<string, boolean>();
    for await (const { id, isBehind, dueAt } of new ParkedDeliveries(harness.store).list()) {
      expect(dueAt).toBeUndefined();
      listed.set(id, isBehind);
    }
    expect(all.map(({ id }) => listed.get(id))).toEqual([false, true, true]);
  });

  test('are delivered one after the other, in their order, and nothing of them stays', async () => {
    destination.answer = DELIVERED;
    const all = lanes.inLane(20);
    await lanes.parkLane(all);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 20, parked: 0, difference: 0 });
    expect(lanes.attempted).toEqual(idsOf(all));
    expect(destination.peak).toBe(1);
    await lanes.leftBehind();
  });

  test('one that fails again and again holds up its own lane only', async () => {
    const all = lanes.inLane(3);
    const others = lanes.inLane(3, 'another-lane' as LaneId, 10);
    await lanes.parkLane(all);
    await lanes.parkLane(others, 'another-lane' as LaneId);
    harness.startWorker({ destinations: [destination] });
    const first = nth(all, 0).id;
    const ended = new Set<number>();
    await eventually(() => {
      for (const [index, { delivery, end }] of destination.attempts.entries()) {
        if (ended.has(index)) continue;
        ended.add(index);
        end(delivery.id === first ? FAILED : DELIVERED);
      }
      return lanes.attempted.filter((id) => id === first).length > 3 && ended.size >= 7 ? true : undefined;
    }, 'the other lane is delivered');
    expect(lanes.attempted.filter((id) => id !== first)).toEqual(idsOf(others));
  });

  test('one that is given up on makes way, and the next one is told of it', async () => {
    const all = lanes.inLane(3);
    await lanes.parkLane(all);
    harness.startWorker({ destinations: [destination] });
    for (const [index, outcome] of [DELIVERED, REJECTED, DELIVERED].entries()) {
      await eventually(() => destination.attempts[index], `attempt ${index}`);
      destination.at(index).end(outcome);
    }
    await harness.untilLine(destination, { delivered: 2, dead: 1, parked: 0, difference: 0 });
    expect(lanes.attempted).toEqual(idsOf(all));
    expect(destination.attempts.map(({ delivery }) => delivery.laneGap)).toEqual([
      undefined,
      undefined,
      nth(all, 1).id,
    ]);
  });

  test('the last one of a lane is given up on: whoever comes next is told of it, until it was made', async () => {
    const [first, next] = [nth(lanes.inLane(2), 0), nth(lanes.inLane(2), 1)];
    await harness.park(first, { decision: { kind: 'give-up', reason: 'rejected' } });
    expect(await harness.laneParking.look([LANE])).toEqual([{ isWaiting: false, gap: first.id }]);
    expect(await harness.laneParking.append(LANE, [next], false)).toEqual({ stored: 0, gap: first.id });
    harness.laneParking.gapTold(LANE, first.id);
    await eventually(
      async () => ((await harness.laneParking.look([LANE]))[0]?.gap === undefined ? true : undefined),
      'told',
    );
  });

  test('that is told although the one after it failed and is made by a retry', async () => {
    destination.answer = DELIVERED;
    const [first, next] = [nth(lanes.inLane(2), 0), nth(lanes.inLane(2), 1)];
    await harness.park(first, { decision: { kind: 'give-up', reason: 'rejected' } });
    await harness.park({ ...next, laneGap: first.id }, DUE);
    expect(await harness.laneParking.look([LANE])).toEqual([{ isWaiting: true, gap: undefined }]);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1 });
    expect(destination.at(0).delivery.laneGap).toBe(first.id);
  });

  test('what comes while the lane is empty is not stored, unless it must be', async () => {
    const all = lanes.inLane(2);
    expect(await harness.laneParking.append(LANE, all, false)).toEqual({ stored: 0, gap: undefined });
    expect(await harness.line(destination)).toBeUndefined();
    expect(await harness.laneParking.append(LANE, all, true)).toEqual({ stored: 2, gap: undefined });
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
  });

  test('what is stored already keeps its place, and is counted once', async () => {
    const all = lanes.inLane(4);
    await lanes.parkLane(all.slice(0, 3));
    expect(await harness.laneParking.append(LANE, all.slice(1), false)).toEqual({
      stored: 3,
      gap: undefined,
    });
    await harness.park(nth(all, 0), DUE);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 4, delivered: 4, difference: 0 });
    expect(lanes.attempted).toEqual(idsOf(all));
  });

  test('a confirmation of one that waits behind others takes it out, and only it', async () => {
    const all = lanes.inLane(3);
    await lanes.parkLane(all);
    await harness.parking.delivered(nth(all, 1));
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 3, delivered: 3, difference: 0 });
    expect(lanes.attempted).toEqual([nth(all, 0).id, nth(all, 2).id]);
    await lanes.leftBehind();
  });

  test('beyond its share of parked bytes one becomes a dead letter, and the next one is told of it', async () => {
    await lanes.close();
    lanes = await LaneHarness.open({ limits: { perInstance: 0, perGlobalDestination: 4000 } });
    ({ store: harness, destination } = lanes);
    const all = lanes.inLane(8);
    await harness.park(nth(all, 0), DUE);
    await harness.laneParking.append(LANE, all.slice(1), false);
    const line = await harness.line(destination);
    expect(line).toMatchObject({ accepted: 8, difference: 0 });
    expect(line?.dead).toBeGreaterThan(0);
    expect((await harness.laneParking.look([LANE]))[0]?.gap).toBe(nth(all, 7).id);
  });
});
