import * as fc from 'fast-check';
import type { Delivery, DeliveryId, LaneId } from '../../../src/pipeline/delivery';
import type { DirectResult, ResultSink } from '../../../src/pipeline/direct-attempts';
import { Lanes } from '../../../src/pipeline/lanes';
import type { LaneLook, LaneStore } from '../../../src/pipeline/parking';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { turns } from '../../support/signals/signals';
import { deliveryTo, eventBody } from '../../support/values/events';

jest.setTimeout(120_000);

const destination = new FakeDestination('webhook:global');

/** What lies in Redis of each lane, in its order. */
class FakeLaneStore implements LaneStore {
  readonly lanes = new Map<LaneId, Delivery[]>();
  readonly gaps = new Map<LaneId, DeliveryId>();
  readonly told: DeliveryId[] = [];
  asked = 0;
  isAway = false;
  isClosed = false;

  of(lane: LaneId): Delivery[] {
    const found = this.lanes.get(lane) ?? [];
    this.lanes.set(lane, found);
    return found;
  }

  async look(lanes: readonly LaneId[]): Promise<readonly LaneLook[]> {
    await turns(1);
    if (this.isAway) throw new Error('away');
    this.asked += lanes.length;
    return lanes.map((lane) => ({ isWaiting: this.of(lane).length > 0, gap: this.gaps.get(lane) }));
  }

  async append(lane: LaneId, deliveries: readonly Delivery[], isForced: boolean) {
    await turns(1);
    if (this.isClosed) throw new Error('closed');
    const waiting = this.of(lane);
    if (waiting.length === 0 && !isForced) return { stored: 0, gap: this.gaps.get(lane) };
    for (const each of deliveries) if (!waiting.some(({ id }) => id === each.id)) waiting.push(each);
    return { stored: deliveries.length, gap: undefined };
  }

  gapTold(_lane: LaneId, gap: DeliveryId): void {
    this.told.push(gap);
  }
}

interface Attempt {
  readonly delivery: Delivery;
  readonly isLost: () => boolean;
  readonly end: (result: DirectResult) => void;
}

class World {
  readonly store = new FakeLaneStore();
  readonly attempts: Attempt[] = [];
  readonly errors: unknown[] = [];
  readonly results = new Map<number, DirectResult>();
  readonly lanes = this.holder(this.attempts);

  /** Another one that got the same messages. */
  holder(attempts: Attempt[]): Lanes {
    const submit = (delivery: Delivery, sink: ResultSink, index: number): void => {
      const isLost = (): boolean => sink.isLost === true;
      attempts.push({ delivery, isLost, end: (result) => sink.resolve(index, result) });
    };
    return new Lanes({
      directAttempts: { submit, parkWithoutAttempt: () => {} },
      store: this.store,
      onError: (error) => this.errors.push(error),
    });
  }

  submit(number: number, lane = 'a', sink: Partial<ResultSink> = { term: this }): void {
    const resolve = (_index: number, result: DirectResult): void => void this.results.set(number, result);
    this.lanes.submit(delivery(number, lane), { ...sink, resolve }, 0);
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

const numbers = new Map<DeliveryId, number>();

function delivery(number: number, lane = 'a'): Delivery {
  const made = { ...deliveryTo(destination, eventBody(number)), lane: lane as LaneId };
  numbers.set(made.id, number);
  return made;
}

function numberOf({ id }: Delivery): number {
  return numbers.get(id) ?? -1;
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
    world.store.of('a' as LaneId).push(delivery(2));
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
    world.store.of('a' as LaneId).push(delivery(1));
    world.attempts[0]?.end('stored');
    await turns();
    world.submit(4);
    await turns();
    expect(world.stored()).toEqual([1, 2, 3, 4]);
    expect(world.attempted).toEqual([1, 10]);
    expect([1, 2, 3, 4].map((number) => world.results.get(number))).toEqual(Array(4).fill('stored'));
  });

  test('are attempted again once nothing of the lane is stored any more', async () => {
    world.store.of('a' as LaneId).push(delivery(1));
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
    world.store.of('a' as LaneId).push(delivery(2));
    world.submit(3, 'a', { term: {} });
    await turns();
    expect(world.stored()).toEqual([2, 3]);
    expect(world.attempted).toEqual([1]);
  });

  test('an attempt under way when messages come anew says nothing of what was stored meanwhile', async () => {
    world.submit(1);
    await turns();
    world.store.of('a' as LaneId).push(delivery(2));
    world.submit(3, 'a', { term: {} });
    await world.end('delivered');
    expect(world.stored()).toEqual([2, 3]);
  });

  test('one after a delivery that was given up on is told of it, and that is told once it was made', async () => {
    const gap = delivery(1).id;
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
        delivery(number),
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
      world.lanes.submit(delivery(number), sink, 0);
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

describe('the order in which deliveries of a lane arrive first', () => {
  /** What happens next: an attempt of one of the holders ends, the store delivers its first, the messages go to another one. */
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('end' as const), holder: fc.nat(2), isGood: fc.boolean() }),
      fc.record({ kind: fc.constant('retry' as const), isGood: fc.boolean() }),
      fc.record({ kind: fc.constant('take over' as const) }),
      fc.record({ kind: fc.constant('come' as const) }),
    ),
    { maxLength: 60 },
  );

  test('is that of the source, whoever else goes on with messages that were once its own', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (chosen) => {
        const play = new Play();
        for (const step of chosen) await play.step(step);
        await play.finish();
        expect(play.firstArrivals).toEqual(play.sent);
      }),
      { numRuns: 30 },
    );
  });
});

type Step =
  | { readonly kind: 'end'; readonly holder: number; readonly isGood: boolean }
  | { readonly kind: 'retry'; readonly isGood: boolean }
  | { readonly kind: 'take over' }
  | { readonly kind: 'come' };

/** One lane, a broker that hands what is not acknowledged to the next holder, and holders that never stop. */
class Play {
  readonly store = new FakeLaneStore();
  readonly sent: number[] = [];
  private readonly arrived: number[] = [];
  private readonly unacknowledged: number[] = [];
  private readonly holders: { readonly lanes: Lanes; readonly attempts: Attempt[] }[] = [];

  constructor() {
    this.takeOver();
  }

  get firstArrivals(): number[] {
    return [...new Set(this.arrived)];
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'come') this.come();
    else if (step.kind === 'take over') this.takeOver();
    else if (step.kind === 'retry') this.retry(step.isGood);
    else if (step.kind === 'end') this.end(this.holders.at(-1 - step.holder), step.isGood);
    await turns(2);
  }

  async finish(): Promise<void> {
    this.takeOver();
    for (let round = 0; round < 200 && this.unacknowledged.length + this.stored.length > 0; round++) {
      await turns(2);
      for (const holder of this.holders) this.end(holder, true);
      this.retry(true);
    }
  }

  private get stored(): Delivery[] {
    return this.store.of('a' as LaneId);
  }

  private come(): void {
    const number = this.sent.length;
    this.sent.push(number);
    this.unacknowledged.push(number);
    this.hand(number, this.holders.length - 1);
  }

  /** The holder so far does not know of it: a frozen process that comes back. */
  private takeOver(): void {
    const attempts: Attempt[] = [];
    const submit = (each: Delivery, sink: ResultSink, index: number): void => {
      const isLost = (): boolean => sink.isLost === true;
      attempts.push({ delivery: each, isLost, end: (result) => sink.resolve(index, result) });
    };
    const lanes = new Lanes({
      directAttempts: { submit, parkWithoutAttempt: () => {} },
      store: this.store,
      onError: () => {},
    });
    this.holders.push({ lanes, attempts });
    for (const number of this.unacknowledged) this.hand(number, this.holders.length - 1);
  }

  private hand(number: number, index: number): void {
    const holder = this.holders[index];
    const resolve = (_index: number, result: DirectResult): void => {
      const isHolder = index === this.holders.length - 1;
      // The broker takes no word from one that has lost its channel.
      if (!isHolder || result === 'untouched' || result === 'unstored') return;
      this.unacknowledged.splice(this.unacknowledged.indexOf(number), 1);
    };
    holder?.lanes.submit(delivery(number), { resolve, term: holder }, 0);
  }

  private end(holder: { readonly attempts: Attempt[] } | undefined, isGood: boolean): void {
    const attempt = holder?.attempts.shift();
    if (attempt === undefined) return;
    if (isGood) this.arrived.push(numberOf(attempt.delivery));
    else if (!this.stored.some(({ id }) => id === attempt.delivery.id)) this.stored.push(attempt.delivery);
    attempt.end(isGood ? 'delivered' : 'stored');
  }

  private retry(isGood: boolean): void {
    const [first] = this.stored;
    if (first === undefined || !isGood) return;
    this.arrived.push(numberOf(first));
    this.stored.shift();
  }
}
