import { ParkedDeliveries } from '../../src/dead-letters/parked-deliveries';
import { type Delivery, destinationKeyOf, type LaneId } from '../../src/pipeline/delivery';
import { RetryUpkeep } from '../../src/retry/retry-upkeep';
import { DELIVERED, FAILED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { nth } from '../support/values/items';

let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:global');
});
afterEach(() => harness.close());

const LANE = 'lane-of-a-chat' as LaneId;
const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;

function inLane(count: number, lane = LANE, first = 0): Delivery[] {
  return deliveries(destination, count, first).map((each) => ({ ...each, lane }));
}

/** The first is parked as after a failed attempt, the others behind it. */
async function parkLane(all: readonly Delivery[], lane = LANE): Promise<void> {
  const [first, ...others] = all;
  if (first === undefined) return;
  await harness.park(first, DUE);
  expect(await harness.laneParking.append(lane, others, false)).toEqual({
    stored: others.length,
    gap: undefined,
  });
}

const attempted = (): string[] => destination.attempts.map(({ delivery }) => delivery.id);
const idsOf = (all: readonly Delivery[]): string[] => all.map(({ id }) => id);
const leftBehind = (): Promise<true> =>
  eventually(async () => {
    const names = await harness.keyNames();
    return names.some((name) => /dlv_|lane/.test(name)) ? undefined : true;
  }, 'no key of a lane');

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

describe('deliveries of a lane that are stored', () => {
  test('only the first one is due; all count as accepted and parked', async () => {
    await parkLane(inLane(5));
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
    expect(await harness.line(destination)).toMatchObject({ accepted: 5, parked: 5, difference: 0 });
    expect(await harness.store.lanes()).toEqual({ waiting: 1, deliveriesBehind: 4 });
    expect(harness.parked.all).toEqual(['failed', 'lane', 'lane', 'lane', 'lane']);
  });

  test('whose first one waits for its turn lie in no line themselves, and follow it in their order', async () => {
    const [first, ...others] = inLane(4);
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
    expect(attempted()).toEqual(idsOf([first, ...others]));
    expect(destination.peak).toBe(1);
    await leftBehind();
  });

  test('are listed as behind others, and the first one as due', async () => {
    const all = inLane(3);
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
    const all = inLane(20);
    await parkLane(all);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 20, parked: 0, difference: 0 });
    expect(attempted()).toEqual(idsOf(all));
    expect(destination.peak).toBe(1);
    await leftBehind();
  });

  test('one that fails again and again holds up its own lane only', async () => {
    const all = inLane(3);
    const others = inLane(3, 'another-lane' as LaneId, 10);
    await parkLane(all);
    await parkLane(others, 'another-lane' as LaneId);
    harness.startWorker({ destinations: [destination] });
    const first = nth(all, 0).id;
    const ended = new Set<number>();
    await eventually(() => {
      for (const [index, { delivery, end }] of destination.attempts.entries()) {
        if (ended.has(index)) continue;
        ended.add(index);
        end(delivery.id === first ? FAILED : DELIVERED);
      }
      return attempted().filter((id) => id === first).length > 3 && ended.size >= 7 ? true : undefined;
    }, 'the other lane is delivered');
    expect(attempted().filter((id) => id !== first)).toEqual(idsOf(others));
  });

  test('one that is given up on makes way, and the next one is told of it', async () => {
    const all = inLane(3);
    await parkLane(all);
    harness.startWorker({ destinations: [destination] });
    for (const [index, outcome] of [DELIVERED, REJECTED, DELIVERED].entries()) {
      await eventually(() => destination.attempts[index], `attempt ${index}`);
      destination.at(index).end(outcome);
    }
    await harness.untilLine(destination, { delivered: 2, dead: 1, parked: 0, difference: 0 });
    expect(attempted()).toEqual(idsOf(all));
    expect(destination.attempts.map(({ delivery }) => delivery.laneGap)).toEqual([
      undefined,
      undefined,
      nth(all, 1).id,
    ]);
  });

  test('the last one of a lane is given up on: whoever comes next is told of it, until it was made', async () => {
    const [first, next] = [nth(inLane(2), 0), nth(inLane(2), 1)];
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
    const [first, next] = [nth(inLane(2), 0), nth(inLane(2), 1)];
    await harness.park(first, { decision: { kind: 'give-up', reason: 'rejected' } });
    await harness.park({ ...next, laneGap: first.id }, DUE);
    expect(await harness.laneParking.look([LANE])).toEqual([{ isWaiting: true, gap: undefined }]);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1 });
    expect(destination.at(0).delivery.laneGap).toBe(first.id);
  });

  test('what comes while the lane is empty is not stored, unless it must be', async () => {
    const all = inLane(2);
    expect(await harness.laneParking.append(LANE, all, false)).toEqual({ stored: 0, gap: undefined });
    expect(await harness.line(destination)).toBeUndefined();
    expect(await harness.laneParking.append(LANE, all, true)).toEqual({ stored: 2, gap: undefined });
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
  });

  test('what is stored already keeps its place, and is counted once', async () => {
    const all = inLane(4);
    await parkLane(all.slice(0, 3));
    expect(await harness.laneParking.append(LANE, all.slice(1), false)).toEqual({
      stored: 3,
      gap: undefined,
    });
    await harness.park(nth(all, 0), DUE);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 4, delivered: 4, difference: 0 });
    expect(attempted()).toEqual(idsOf(all));
  });

  test('a confirmation of one that waits behind others takes it out, and only it', async () => {
    const all = inLane(3);
    await parkLane(all);
    await harness.parking.delivered(nth(all, 1));
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 3, delivered: 3, difference: 0 });
    expect(attempted()).toEqual([nth(all, 0).id, nth(all, 2).id]);
    await leftBehind();
  });

  test('beyond its share of parked bytes one becomes a dead letter, and the next one is told of it', async () => {
    await harness.close();
    harness = await StoreHarness.open({ limits: { perInstance: 0, perGlobalDestination: 4000 } });
    const all = inLane(8);
    await harness.park(nth(all, 0), DUE);
    await harness.laneParking.append(LANE, all.slice(1), false);
    const line = await harness.line(destination);
    expect(line).toMatchObject({ accepted: 8, difference: 0 });
    expect(line?.dead).toBeGreaterThan(0);
    expect((await harness.laneParking.look([LANE]))[0]?.gap).toBe(nth(all, 7).id);
  });
});

describe('what holds up its lane for too long', () => {
  test('becomes a dead letter, and the lane goes on with the next one, which has as long', async () => {
    const all = inLane(3);
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
    expect(attempted()).toEqual(idsOf(all.slice(1)));
  });

  test('is kept while its destination is suspended, as its lane could not go on', async () => {
    await parkLane(inLane(2));
    const key = destinationKeyOf(nth(inLane(1), 0).id);
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
    const all = inLane(2);
    await harness.park(nth(all, 0), { decision: { kind: 'in-line' } });
    await harness.laneParking.append(LANE, all.slice(1), false);
    await timeBeginsAnew();
    expect(harness.dead.all).toEqual([]);
  });

  test('a dead letter of a lane that is replayed is in no lane any more', async () => {
    const all = inLane(3);
    await harness.park(nth(all, 0), { decision: { kind: 'give-up', reason: 'rejected' } });
    await harness.park(nth(all, 1));
    await harness.laneParking.append(LANE, all.slice(2), false);
    expect(await harness.deadLetters.replay(nth(all, 0).id)).toBe('replayed');
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1, parked: 2, difference: 0 });
    expect(attempted()).toEqual([nth(all, 0).id]);
  });

  test('what is parked for too long ends wherever it stands in its lane', async () => {
    await harness.park(nth(inLane(1), 0));
    await harness.laneParking.append(LANE, inLane(3).slice(1), false);
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
    const all = inLane(3);
    await parkLane(all);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:retry:delayed`));
    await look(3_600_000);
    expect(await harness.store.queue.getDelayedCount()).toBe(1);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 3, difference: 0 });
    expect(attempted()).toEqual(idsOf(all));
  });

  test('a first one whose record is gone makes way', async () => {
    const all = inLane(3);
    await parkLane(all);
    await harness.withRedis((redis) => redis.del(`{${harness.prefix}}:retry:${nth(all, 0).id}`));
    await look(3_600_000);
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 2, parked: 0 });
    expect(attempted()).toEqual(idsOf(all.slice(1)));
  });
});

test('of lanes whose last delivery was given up on no more than so many are remembered for one destination', async () => {
  await harness.withRedis(async (redis) => {
    // As after ten thousand chats with a dead letter each.
    const key = `{${harness.prefix}}:lane-gaps:${destinationKeyOf(nth(inLane(1), 0).id)}`;
    const laneOf = (number: number): string =>
      `lane-${number}`.padEnd(22, '-') + key.slice(key.lastIndexOf(':') + 1);
    for (let number = 0; number < 10_000; number++) {
      await redis.zadd(key, number, laneOf(number));
      if (number < 2) await redis.set(`{${harness.prefix}}:lane-gap:${laneOf(number)}`, 'dlv_x');
    }
    const lane = laneOf(10_000) as LaneId;
    const [only] = inLane(1, lane);
    if (only !== undefined) await harness.park(only, { decision: { kind: 'give-up', reason: 'rejected' } });
    const kept = await redis.keys(`{${harness.prefix}}:lane-gap:*`);
    expect(kept.sort()).toEqual(
      [laneOf(1), lane].map((each) => `{${harness.prefix}}:lane-gap:${each}`).sort(),
    );
    expect(await redis.zcard(key)).toBe(10_000);
  });
});
