import { destinationKeyOf, type LaneId } from '../../src/pipeline/delivery';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { idsOf, LANE, LaneHarness } from '../support/harness/lane-harness';
import { DELIVERED, type FakeDestination } from '../support/harness/pipeline-harness';
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

function upkeep(orderedMaxAgeMs: number, parkedMaxAgeMs = 0): RetryUpkeep {
  return new RetryUpkeep({
    store: harness.store,
    parkedMaxAgeMs,
    orderedMaxAgeMs,
    onExpired: (expired) => {
      for (const _each of expired) harness.dead.add('expired');
    },
    onForward: () => {},
    onMended: () => {},
    onUncounted: () => {},
    onError: (error) => {
      throw error;
    },
  });
}

async function look(orderedMaxAgeMs: number, parkedMaxAgeMs = 0): Promise<void> {
  await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:looked`));
  await upkeep(orderedMaxAgeMs, parkedMaxAgeMs).look();
}

/** Waits until the lane counts as begun at a later moment than now. */
async function timeBeginsAnew(): Promise<void> {
  const since = (): Promise<string | null> =>
    harness.withRedis((redis) => redis.zscore(`{${harness.prefix}}:lanes`, LANE));
  const before = await since();
  await eventually(async () => {
    await look(1);
    return (await since()) === before ? undefined : true;
  }, 'its time begins anew');
}

describe('what holds up its lane for too long', () => {
  test('becomes a dead letter, and the lane goes on with the next one, which has as long', async () => {
    const all = lanes.inLane(3);
    await harness.park(nth(all, 0));
    await harness.laneParking.append(LANE, all.slice(1), false);
    await look(3_600_000);
    expect(harness.dead.all).toEqual([]);
    // A moment passes by the clock of Redis.
    await eventually(async () => {
      if (harness.dead.all.length === 0) await look(1);
      return harness.dead.all.length > 0 ? true : undefined;
    }, 'given up on');
    expect(harness.dead.all).toHaveLength(1);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 2, dead: 1, difference: 0 });
    expect(destination.at(0).delivery.laneGap).toBe(nth(all, 0).id);
    expect(lanes.attempted).toEqual(idsOf(all.slice(1)));
  });

  test('is kept while its destination is suspended, as its lane could not go on', async () => {
    await lanes.parkLane(lanes.inLane(2));
    const key = destinationKeyOf(nth(lanes.inLane(1), 0).id);
    await harness.store.call('relaySuspend', key, destination.id);
    await timeBeginsAnew();
    expect(harness.dead.all).toEqual([]);
    await harness.store.call('relayWell', key, 1);
    await eventually(async () => {
      await look(1);
      return harness.dead.all.length > 0 ? true : undefined;
    }, 'given up on');
  });

  test('is kept while it waits for its turn at a destination that is well', async () => {
    const all = lanes.inLane(2);
    await harness.park(nth(all, 0), { decision: { kind: 'in-line' } });
    await harness.laneParking.append(LANE, all.slice(1), false);
    await timeBeginsAnew();
    expect(harness.dead.all).toEqual([]);
  });

  test('a dead letter of a lane that is replayed is in no lane any more', async () => {
    const all = lanes.inLane(3);
    await harness.park(nth(all, 0), { decision: { kind: 'give-up', reason: 'rejected' } });
    await harness.park(nth(all, 1));
    await harness.laneParking.append(LANE, all.slice(2), false);
    expect(await harness.deadLetters.replay(nth(all, 0).id)).toBe('replayed');
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1, parked: 2, difference: 0 });
    expect(lanes.attempted).toEqual([nth(all, 0).id]);
  });

  test('what is parked for too long ends wherever it stands in its lane', async () => {
    await harness.park(nth(lanes.inLane(1), 0));
    await harness.laneParking.append(LANE, lanes.inLane(3).slice(1), false);
    await eventually(async () => {
      await look(3_600_000, 1);
      return harness.dead.all.length === 3 ? true : undefined;
    }, 'all three');
    expect(await harness.line(destination)).toMatchObject({ accepted: 3, dead: 3, parked: 0, difference: 0 });
    expect(await harness.store.lanes()).toEqual({ waiting: 0, deliveriesBehind: 0 });
  });
});

describe('what a step that failed halfway through, or a person, leaves of a lane', () => {
  test('a first one that is in no place is due again; those behind it stay where they are', async () => {
    const all = lanes.inLane(3);
    await lanes.parkLane(all);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:retry:delayed`));
    await look(3_600_000);
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 3, difference: 0 });
    expect(lanes.attempted).toEqual(idsOf(all));
  });

  test('a first one whose record is gone makes way', async () => {
    const all = lanes.inLane(3);
    await lanes.parkLane(all);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:retry:${nth(all, 0).id}`));
    await look(3_600_000);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 2, parked: 0 });
    expect(lanes.attempted).toEqual(idsOf(all.slice(1)));
  });
});

test('of lanes whose last delivery was given up on no more than so many are remembered for one destination', async () => {
  await harness.withRedis(async (redis) => {
    // As after ten thousand chats with a dead letter each.
    const key = `{${harness.prefix}}:lane-gaps:${destinationKeyOf(nth(lanes.inLane(1), 0).id)}`;
    const laneOf = (number: number): string =>
      `lane-${number}`.padEnd(22, '-') + key.slice(key.lastIndexOf(':') + 1);
    for (let number = 0; number < 10_000; number++) {
      await redis.zadd(key, number, laneOf(number));
      if (number < 2) await redis.set(`{${harness.prefix}}:lane-gap:${laneOf(number)}`, 'dlv_x');
    }
    const lane = laneOf(10_000) as LaneId;
    const [only] = lanes.inLane(1, lane);
    if (only !== undefined) await harness.park(only, { decision: { kind: 'give-up', reason: 'rejected' } });
    const kept = await redis.keys(`{${harness.prefix}}:lane-gap:*`);
    expect(kept.sort()).toEqual(
      [laneOf(1), lane].map((each) => `{${harness.prefix}}:lane-gap:${each}`).sort(),
    );
    expect(await redis.zcard(key)).toBe(10_000);
  });
});
