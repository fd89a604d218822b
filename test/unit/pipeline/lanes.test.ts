import type { LaneId } from '../../../src/pipeline/delivery';
import type { DirectResult, ResultSink } from '../../../src/pipeline/direct-attempts';
import type { Lanes } from '../../../src/pipeline/lanes';
import {
  FakeLaneStore,
  type LaneAttempt,
  laneDelivery,
  lanesWith,
  MAX_WAIT_MS,
  numberOf,
} from '../../support/fakes/fake-lanes';
import { turns } from '../../support/signals/signals';

class World {
  readonly store = new FakeLaneStore();
  readonly attempts: LaneAttempt[] = [];
  readonly errors: unknown[] = [];
  readonly results = new Map<number, DirectResult>();
  now = 0;
  readonly lanes = this.holder(this.attempts);

  /** Another one that got the same messages. */
  holder(attempts: LaneAttempt[]): Lanes {
    const onError = (error: unknown): void => void this.errors.push(error);
    return lanesWith(this.store, attempts, onError, { now: () => this.now });
  }

  submit(number: number, lane = 'a', sink: Partial<ResultSink> = { term: this }): void {
    const resolve = (_index: number, result: DirectResult): void => void this.results.set(number, result);
    this.lanes.submit(laneDelivery(number, lane), { ...sink, resolve }, 0);
  }

  get attempted(): number[] {
    return this.attempts.map(({ delivery: each }) => numberOf(each));
  }

  /** Ends the attempt under way as the last one that began. */
  async end(result: DirectResult): Promise<void> {
    this.attempts.at(-1)?.end(result);
    await turns();
  }

  stored(lane = 'a'): number[] {
    return this.store.of(lane as LaneId).map(numberOf);
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('deliveries of a lane', () => {
  test('are attempted one at a time, each when the one before it was made; other lanes go on', async () => {
    for (const number of [1, 2, 3]) world.submit(number);
    world.submit(10, 'b');
    await turns();
    expect(world.attempted).toEqual([1, 10]);
    world.attempts[0]?.end('delivered');
    expect(world.attempted).toEqual([1, 10, 2]);
    await world.end('discarded');
    expect(world.attempted).toEqual([1, 10, 2, 3]);
  });

  test('the store is asked once for a lane, not for each event', async () => {
    for (const number of [1, 2, 3]) {
      world.submit(number);
      await turns();
      await world.end('delivered');
    }
    expect(world.store.asked).toBe(1);
  });

  test('where nobody says that all of them come here, the store is asked for each', async () => {
    for (const number of [1, 2]) world.submit(number, 'a', {});
    await turns();
    await world.end('delivered');
    expect(world.store.asked).toBe(2);
    expect(world.attempted).toEqual([1, 2]);
  });

  test('what comes behind one that was stored waits for it, although its lane was known to be empty before', async () => {
    world.submit(1);
    await turns();
    await world.end('delivered');
    world.submit(2);
    await turns();
    world.store.of('a' as LaneId).push(laneDelivery(2));
    await world.end('stored');
    world.submit(3);
    await turns();
    expect(world.attempted).toEqual([1, 2]);
    expect(world.stored()).toEqual([2, 3]);
  });

  test('behind one that was stored all are stored, in their order, and no other lane', async () => {
    for (const number of [1, 2, 3]) world.submit(number);
    world.submit(10, 'b');
    await turns();
    world.store.of('a' as LaneId).push(laneDelivery(1));
    world.attempts[0]?.end('stored');
    await turns();
    world.submit(4);
    await turns();
    expect(world.stored()).toEqual([1, 2, 3, 4]);
    expect(world.attempted).toEqual([1, 10]);
    expect([1, 2, 3, 4].map((number) => world.results.get(number))).toEqual(Array(4).fill('stored'));
  });

  test('what has waited for too long is stored, as its messages keep those of others from coming', async () => {
    for (const number of [1, 2, 3]) world.submit(number);
    world.submit(10, 'b');
    await turns();
    world.now = MAX_WAIT_MS + 1;
    world.submit(4);
    world.submit(11, 'b');
    world.attempts[0]?.end('delivered');
    await world.end('delivered');
    expect(world.stored()).toEqual([2, 3, 4]);
    expect([1, 2, 3, 4].map((number) => world.results.get(number))).toEqual([
      'delivered',
      ...Array(3).fill('stored'),
    ]);
    expect(world.attempted).toEqual([1, 10, 11]);
  });

  test('so few that others come all the same are not stored, however long they wait', async () => {
    for (const number of [1, 2]) world.submit(number);
    await turns();
    world.now = MAX_WAIT_MS + 1;
    await world.end('delivered');
    expect(world.attempted).toEqual([1, 2]);
  });

  test('are attempted again once nothing of the lane is stored any more', async () => {
    world.store.of('a' as LaneId).push(laneDelivery(1));
    world.submit(2);
    await turns();
    expect(world.stored()).toEqual([1, 2]);
    world.store.lanes.clear();
    world.submit(3);
    await turns();
    expect(world.attempted).toEqual([3]);
  });

  test('what waits behind that somebody else stored is seen when messages come anew', async () => {
    world.submit(1);
    await turns();
    await world.end('delivered');
    world.store.of('a' as LaneId).push(laneDelivery(2));
    world.submit(3, 'a', { term: {} });
    await turns();
    expect(world.stored()).toEqual([2, 3]);
    expect(world.attempted).toEqual([1]);
  });

  test('an attempt under way when messages come anew says nothing of what was stored meanwhile', async () => {
    world.submit(1);
    await turns();
    world.store.of('a' as LaneId).push(laneDelivery(2));
    world.submit(3, 'a', { term: {} });
    await world.end('delivered');
    expect(world.stored()).toEqual([2, 3]);
  });

  test('one after a delivery that was given up on is told of it, and that is told once it was made', async () => {
    const gap = laneDelivery(1).id;
    world.store.gaps.set('a' as LaneId, gap);
    for (const number of [2, 3]) world.submit(number);
    await turns();
    expect(world.attempts[0]?.delivery.laneGap).toBe(gap);
    expect(world.store.told).toEqual([]);
    await world.end('delivered');
    expect(world.store.told).toEqual([gap]);
    expect(world.attempts[1]?.delivery.laneGap).toBeUndefined();
  });

  test('of messages that the broker took back none is begun: their copies come in their order', async () => {
    let isLost = false;
    const sink = {
      term: world,
      get isLost() {
        return isLost;
      },
    };
    const results: DirectResult[] = [];
    const resolve = (_index: number, result: DirectResult): void => void results.push(result);
    for (const number of [1, 2])
      world.lanes.submit(
        laneDelivery(number),
        Object.defineProperties({ resolve }, Object.getOwnPropertyDescriptors(sink)),
        0,
      );
    await turns();
    isLost = true;
    await world.end('delivered');
    expect(results).toEqual(['delivered', 'untouched']);
    expect(world.attempted).toEqual([1]);
  });

  test('one that waits for its turn when its channel is lost, and those behind it, are let go of', async () => {
    const channel = { isLost: false };
    const results: DirectResult[] = [];
    for (const number of [1, 2]) {
      const sink: ResultSink = {
        term: world,
        get isLost() {
          return channel.isLost;
        },
        resolve: (_index, result) => results.push(result),
      };
      world.lanes.submit(laneDelivery(number), sink, 0);
    }
    await turns();
    channel.isLost = true;
    expect(world.attempts[0]?.isLost()).toBe(true);
    await world.end('untouched');
    expect(results).toEqual(['untouched', 'untouched']);
    const term = {};
    for (const number of [1, 2]) world.submit(number, 'a', { term });
    await turns();
    await world.end('delivered');
    expect([world.attempted, world.stored()]).toEqual([[1, 1, 2], []]);
  });

  test('while the store cannot be asked they wait', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    world.store.isAway = true;
    world.submit(1);
    await turns();
    world.submit(2);
    await turns();
    expect(world.attempted).toEqual([]);
    expect(world.errors).toHaveLength(1);
    world.store.isAway = false;
    await jest.advanceTimersByTimeAsync(1000);
    await turns();
    jest.useRealTimers();
    expect(world.attempted).toEqual([1]);
  });
});

describe('at the end of the process', () => {
  test('what is not begun is stored in its order, also behind what was not begun after all', async () => {
    for (const number of [1, 2, 3]) world.submit(number);
    world.submit(10, 'b', {});
    await turns();
    world.lanes.drain();
    world.attempts[0]?.end('untouched');
    world.attempts[1]?.end('delivered');
    await turns();
    expect(world.stored()).toEqual([1, 2, 3]);
    expect([...world.results.values()].sort()).toEqual(['delivered', 'stored', 'stored', 'stored']);
  });

  test('what cannot be stored goes back, with all that is behind it', async () => {
    for (const number of [1, 2]) world.submit(number);
    await turns();
    world.store.isClosed = true;
    world.lanes.drain();
    await world.end('untouched');
    expect([...world.results.values()]).toEqual(['unstored', 'unstored']);
  });

  test('what comes afterwards is left untouched', () => {
    world.lanes.drain();
    world.submit(1);
    expect(world.results.get(1)).toBe('untouched');
  });
});
