import type { Delivery, DestinationId, LaneId } from '../../../src/pipeline/delivery';
import { InFlight } from '../../../src/pipeline/in-flight';
import type { SourceMessage } from '../../../src/pipeline/message';
import type { Routed } from '../../../src/pipeline/route';
import type { OrderMarker } from '../../../src/sources/source-module';
import { ID, OrderWorld, SINCE } from '../../support/harness/order-world';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { turns } from '../../support/signals/signals';
import { deliveryTo } from '../../support/values/events';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

let world: OrderWorld;
beforeEach(() => {
  world = new OrderWorld();
});
afterEach(() => world.copies.stop());

const destination = new FakeDestination(ID);
const ordered: Delivery = { ...deliveryTo(destination), lane: 'a' as LaneId };
const other = deliveryTo(new FakeDestination('webhook:instance/loja'));

function message(copy: SourceMessage['copy'], others: Partial<SourceMessage> = {}): SourceMessage {
  const settle = (): void => {};
  const common = {
    body: Buffer.from(''),
    origin: { routingKey: '' },
    publishedAt: undefined,
    redelivered: false,
  };
  return { ...common, isLost: false, copy, settle, ...others };
}

async function chosen(
  copy: SourceMessage['copy'],
  deliveries = [ordered, other],
  redelivered = false,
): Promise<Delivery[]> {
  const inFlight = { message: message(copy, { redelivered }), epoch: world.copies.epochs.begin() };
  const { deliveries: chosen } = await world.copies.choose(inFlight, { deliveries, filtered: [] });
  return [...chosen];
}

describe('an ordered destination', () => {
  test('joins when it is heard of, and gets its events by both queues until a marker has passed both', async () => {
    world.copies.note(ID);
    await world.start();
    expect(world.calls).toEqual([`relayOrderJoin ${ID}`]);
    expect(world.wanted).toBeGreaterThan(0);
    expect((await chosen('main')).map(({ lane }) => lane)).toEqual([undefined, undefined]);
    expect(await chosen('ordered')).toEqual([ordered]);
    expect(world.marks).toEqual([]);

    world.entry = ['joining', 60_000, 0];
    await world.tick();
    const marker: OrderMarker = { kind: 'join', destinations: [[ID, SINCE]] };
    expect(world.marks).toEqual([['ordered', marker]]);
    await world.onMarker('ordered', marker);
    expect(world.marks).toEqual([
      ['ordered', marker],
      ['main', marker],
    ]);
    await world.onMarker('main', marker);
    expect(world.calls.at(-1)).toBe(`relayOrderDone ${ID} ${SINCE}`);
    expect(await chosen('main')).toEqual([other]);
    expect(await chosen('ordered')).toEqual([ordered]);
  });

  test('what conditions leave out counts by the copy that would have been delivered', async () => {
    world.entry = ['ordered', 60_000, 0];
    await world.start();
    const leftOut = async (copy: SourceMessage['copy']): Promise<readonly Delivery[]> => {
      const inFlight = { message: message(copy), epoch: world.copies.epochs.begin() };
      return (await world.copies.choose(inFlight, { deliveries: [], filtered: [ordered, other] })).filtered;
    };
    expect(await leftOut('main')).toEqual([other]);
    expect(await leftOut('ordered')).toEqual([ordered]);
    expect(await leftOut(undefined)).toEqual([ordered, other]);
  });

  test('an event that is made from its second copy alone is not unwanted', async () => {
    world.entry = ['ordered', 60_000, 0];
    await world.start();
    const isUnwanted = async (copy: SourceMessage['copy'], routed: Routed): Promise<boolean> => {
      const inFlight = new InFlight(message(copy), ordered.envelope, { completed: () => {} });
      inFlight.epoch = world.copies.epochs.begin();
      inFlight.expect(await world.copies.choose(inFlight, routed));
      return inFlight.isUnwanted;
    };
    expect(await isUnwanted('main', { deliveries: [ordered], filtered: [] })).toBe(false);
    expect(await isUnwanted('main', { deliveries: [], filtered: [ordered] })).toBe(false);
    expect(await isUnwanted('ordered', { deliveries: [other], filtered: [] })).toBe(false);
    expect(await isUnwanted('main', { deliveries: [], filtered: [] })).toBe(true);
    expect(await isUnwanted('ordered', { deliveries: [], filtered: [] })).toBe(false);
  });

  test('no marker is sent before all exchanges are bound', async () => {
    world.copies.note(ID);
    world.isBound = false;
    await world.start();
    world.entry = ['joining', 60_000, 0];
    await world.tick();
    expect(world.marks).toEqual([]);
  });

  test('a marker that may have got lost is sent again', async () => {
    world.entry = ['joining', 60_000, 0];
    world.copies.note(ID);
    await world.start();
    for (let tick = 0; tick < 20; tick++) await world.tick();
    expect(world.marks.length).toBeGreaterThan(1);
    expect(world.marks.length).toBeLessThan(4);
  });

  test('not ordered any more it leaves, and gets its events by both queues until a marker has passed the ordered one', async () => {
    world.entry = ['ordered', 3_600_000, 0];
    world.isOrdered = false;
    await world.start();
    expect(world.calls).toEqual([`relayOrderLeave 60000 ${ID}`]);
    await world.tick();
    const { lane: _lane, ...plain } = ordered;
    expect(await chosen('main', [plain, other])).toEqual([plain, other]);
    expect(await chosen('ordered', [plain, other])).toEqual([plain]);
    world.entry = ['leaving', 120_000, 0];
    await world.tick();
    const marker: OrderMarker = { kind: 'leave', destinations: [[ID, SINCE]] };
    expect(world.marks).toEqual([['ordered', marker]]);
    await world.onMarker('ordered', marker);
    expect(await chosen('ordered', [plain, other])).toEqual([]);
  });

  test('what Redis has not confirmed for a minute is not acted upon: the message waits', async () => {
    world.entry = ['ordered', 3_600_000, 0];
    world.copies.note(ID);
    await world.start();
    world.isReady = false;
    await jest.advanceTimersByTimeAsync(61_000);
    let result: Delivery[] | undefined;
    void chosen('main').then((deliveries) => {
      result = deliveries;
    });
    await turns();
    expect(result).toBeUndefined();
    expect(await chosen('main', [other])).toEqual([other]);
    world.isReady = true;
    await world.tick();
    expect(result).toEqual([other]);
  });

  test('a message that is handed over again is delivered by the main queue while a worker may have held it before', async () => {
    world.entry = ['ordered', 3_600_000, 1];
    world.copies.note(ID);
    await world.start();
    expect(await chosen('main', [ordered], true)).toHaveLength(1);
    expect(await chosen('main', [ordered], false)).toEqual([]);
  });

  describe('may have messages in the main queue that have no second copy', () => {
    /** Holds one from before the destination is ordered; what is said of it is known when it is settled. */
    async function held(): Promise<() => Promise<void>> {
      const { epochs } = world.copies;
      world.entry = ['joining', 0, 0];
      world.copies.note(ID);
      await world.start();
      const epoch = epochs.begin();
      world.isOrderedNow();
      for (let tick = 0; tick < 4; tick++) await world.tick();
      expect(world.unclean.size).toBe(1);
      return async () => {
        epochs.end(epoch);
        for (let tick = 0; tick < 2; tick++) await world.tick();
      };
    }

    test('a worker says that it holds none once they are settled', async () => {
      const settle = await held();
      await settle();
      expect(world.unclean.size).toBe(0);
    });

    test.each([
      ['one went back', () => world.returned++],
      ['some wait for room, and may go back', () => (world.isHoldingBack = true)],
    ])('it does not say so where %s: that may come to anybody', async (_what, happen) => {
      const settle = await held();
      happen();
      await settle();
      expect(world.unclean.size).toBe(1);
    });

    test('what went back before counts no more once a marker has passed that was sent since', async () => {
      const settle = await held();
      world.returned++;
      await settle();
      world.sweep = '9';
      await world.tick();
      const marker: OrderMarker = { kind: 'sweep', destinations: [[ID, '9']] };
      expect(world.marks.at(-1)).toEqual(['main', marker]);
      await world.tick();
      expect(world.marks.filter(([, { kind }]) => kind === 'sweep')).toHaveLength(1);
      await world.onMarker('main', marker);
      expect(world.calls.at(-1)).toBe(`relayOrderSwept ${ID} 9`);
      const came = world.copies.epochs.begin();
      for (let tick = 0; tick < 8; tick++) await world.tick();
      expect(world.unclean.size).toBe(1);
      world.copies.epochs.end(came);
      for (let tick = 0; tick < 2; tick++) await world.tick();
      expect(world.unclean.size).toBe(0);
    });
  });

  test('of a source with one copy of each event all deliveries are made', async () => {
    world.entry = ['ordered', 3_600_000, 0];
    await world.start();
    expect(await chosen(undefined)).toEqual([ordered, other]);
  });

  test('after the ordered queue was made anew it joins anew', async () => {
    await world.start();
    world.onNew();
    expect(world.calls).toEqual(['relayOrderAnew']);
  });
});

describe('where many destinations are ordered', () => {
  test('one that is known to be is not a reason to look', async () => {
    world.crowd = 200;
    await world.start();
    await jest.advanceTimersByTimeAsync(100);
    const { asked } = world;
    for (let n = 0; n < world.crowd; n++) {
      world.copies.note(`webhook:instance/${n}` as DestinationId);
      await jest.advanceTimersByTimeAsync(1);
    }
    expect(world.asked).toBe(asked);
  });

  test('it is looked for less often what became of them where that takes Redis long, and one that is new joins all the same', async () => {
    Object.assign(world, { crowd: 10_000, takesMs: 100 });
    await world.start();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(world.asked).toBeLessThanOrEqual(11);
    for (let n = 0; n < 10; n++) {
      world.copies.note(`webhook:instance/new-${n}` as DestinationId);
      await jest.advanceTimersByTimeAsync(1000);
    }
    expect(world.asked).toBeLessThanOrEqual(16);
    expect(world.calls.join()).toContain('relayOrderJoin webhook:instance/new-0');
  });

  test('few are looked for as often as ever, however long Redis takes: all workers bind in time what is new', async () => {
    Object.assign(world, { crowd: 2, takesMs: 1000 });
    await world.start();
    await jest.advanceTimersByTimeAsync(59_500);
    expect(world.asked).toBeGreaterThanOrEqual(27);
  });
});

describe('whoever gets the ordered queue', () => {
  test('hands nothing over before it knows as much as the one before it, and then all in order', async () => {
    const handed: number[] = [];
    const term = {};
    world.isReady = false;
    await world.start();
    for (const number of [1, 2]) world.copies.take(message('ordered', { term }), () => handed.push(number));
    await jest.advanceTimersByTimeAsync(1000);
    expect(handed).toEqual([]);
    world.isReady = true;
    await jest.advanceTimersByTimeAsync(1000);
    expect(handed).toEqual([1, 2]);
    world.copies.take(message('ordered', { term }), () => handed.push(3));
    expect(handed).toEqual([1, 2, 3]);
  });

  test('what came over a channel that is gone is not handed over', async () => {
    const handed: number[] = [];
    await world.start();
    world.copies.take(message('ordered', { term: {} }), () => handed.push(1));
    world.copies.take(message('ordered', { term: {} }), () => handed.push(2));
    await turns();
    expect(handed).toEqual([2]);
  });
});
