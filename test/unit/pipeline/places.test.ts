import fc from 'fast-check';
import type { Delivery } from '../../../src/pipeline/delivery';
import { Places, type Share } from '../../../src/pipeline/places';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { deliveryTo, eventBody } from '../../support/values/events';

const MOST = 100;

const create = (maxBytes = 1e9): Places => new Places({ most: MOST, maxBytes, maxHeld: 40 });

function deliveryOf(shares: readonly Share[], bytes = 0): Delivery {
  const destination = new FakeDestination('webhook:instance/loja', 30_000, shares);
  return deliveryTo(destination, eventBody(1, { data: 'x'.repeat(bytes) }));
}

const QUARTER: readonly Share[] = [{ key: 'instance loja', part: 0.25 }];
const OTHER: readonly Share[] = [{ key: 'instance outra', part: 0.25 }];

test('a group has no more than its part of the places while others are active, and all of them where it is alone', () => {
  const places = create();
  const delivery = deliveryOf(QUARTER);
  for (let count = 0; count < 25; count++) places.begin(delivery);
  expect(places.mayBegin(delivery, false)).toBe(false);
  expect(places.mayBegin(delivery, true)).toBe(true);
  places.end(delivery, false);
  expect(places.mayBegin(delivery, false)).toBe(true);
});

test('slow attempts have places of their own, of which a group begins no more beyond its part even where it is alone', () => {
  const places = create();
  const delivery = deliveryOf(QUARTER);
  for (let count = 0; count < 25; count++) {
    places.begin(delivery);
    places.turnedSlow(delivery);
  }
  expect(places.hasPlace).toBe(true);
  expect(places.mayBegin(delivery, true)).toBe(false);
  places.end(delivery, true);
  expect(places.mayBegin(delivery, true)).toBe(true);
});

/** Begins slow attempts in turns, for as long as any of them may begin one. */
function fillWithSlow(places: Places, deliveries: readonly Delivery[]): void {
  for (let isAny = true; isAny; ) {
    isAny = false;
    for (const delivery of deliveries) {
      if (!places.mayBegin(delivery, false)) continue;
      places.begin(delivery);
      places.turnedSlow(delivery);
      isAny = true;
    }
  }
}

/** One of each, which may have a quarter. */
function ofInstances(count: number, all: Share): ReturnType<typeof deliveryOf>[] {
  return Array.from({ length: count }, (_, index) =>
    deliveryOf([{ key: `instance ${index}`, part: 0.25 }, all]),
  );
}

test('however many groups are slow, they leave places to those that are not', () => {
  const places = create();
  const all: Share = { key: 'instances', part: 0.75, isOfAll: true };
  const slow = ofInstances(20, all);
  fillWithSlow(places, slow);
  expect(slow.map((delivery) => places.mayBegin(delivery, false))).toEqual(slow.map(() => false));
  expect(places.roomOf([...OTHER, all], 0, false)).toBe(25);
});

test('one with a few slow attempts goes on beside a few instances that have all that hang: its own are not all slow', () => {
  const places = create();
  const all: Share = { key: 'instances', part: 0.75, isOfAll: true };
  const hanging = ofInstances(8, all);
  fillWithSlow(places, hanging);
  const other = deliveryOf([...OTHER, all]);
  for (let slow = 1; slow <= 2; slow++) {
    places.begin(other);
    places.turnedSlow(other);
    expect(places.roomOf(other.destination.shares, 0, false)).toBeGreaterThan(20);
  }
  // However many do so, some stay free, also for the global ones.
  for (let index = 0; index < 10; index++)
    fillWithSlow(places, [deliveryOf([{ key: `instance ${100 + index}`, part: 0.25 }, all])]);
  expect(places.roomOf([{ key: 'webhook:global', part: 0.25 }], 0, false)).toBe(25);
});

test('of more instances that hang than there are places for slow attempts, those that hung before leave the other places', () => {
  const places = create();
  const all: Share = { key: 'instances', part: 0.75, isOfAll: true };
  const hanging = ofInstances(300, all);
  for (const delivery of hanging) {
    places.begin(delivery);
    places.turnedSlow(delivery);
    places.end(delivery, true, true);
  }
  fillWithSlow(places, hanging);
  expect(places.roomOf([...OTHER, all], 0, false)).toBe(25);
  expect(places.roomOf([{ key: 'webhook:global', part: 0.25 }], 0, false)).toBe(25);
  // Also those that are under way and not slow yet: they will be.
  for (const delivery of hanging) if (places.mayBegin(delivery, false)) places.begin(delivery);
  expect(places.roomOf([...OTHER, all], 0, false)).toBe(25);
});

test('one that was slow may begin beyond those places again once an attempt of its own ends at once; one slow attempt is forgiven', () => {
  const places = create();
  const all: Share = { key: 'instances', part: 0.75, isOfAll: true };
  const [slow, forgiven, ...hanging] = ofInstances(102, all);
  if (slow === undefined || forgiven === undefined) throw new Error('no instances');
  const answerSlowly = (delivery: Delivery): void => {
    places.begin(delivery);
    places.turnedSlow(delivery);
    places.end(delivery, true);
  };
  answerSlowly(forgiven);
  for (let times = 0; times < 2; times++) answerSlowly(slow);
  places.begin(slow);
  for (const delivery of hanging) {
    places.begin(delivery);
    places.turnedSlow(delivery);
  }
  expect([slow, forgiven].map((each) => places.mayBegin(each, false))).toEqual([false, true]);
  places.end(slow, false);
  expect(places.mayBegin(slow, false)).toBe(true);
});

test('of a thousand instances behind one host that is slow each may have a few, and all together leave places to others', () => {
  const places = create();
  const host = { key: 'host shared', part: 0.25 };
  const behind = Array.from({ length: 1000 }, (_, index) =>
    deliveryOf([{ key: `instance ${index}`, part: 0.25 }, host]),
  );
  fillWithSlow(places, behind);
  const other = deliveryOf([...OTHER, { key: 'host of another one', part: 0.25 }]);
  expect(places.roomOf(other.destination.shares, 0, false)).toBe(25);
  const few = create();
  fillWithSlow(few, behind.slice(0, 6));
  expect(few.roomOf(behind[0]?.destination.shares ?? [], 0, false)).toBe(0);
  expect(few.roomOf(behind[7]?.destination.shares ?? [], 0, false)).toBeGreaterThan(0);
});

test('what ended slow is no longer taken off: a place counts once', () => {
  const places = new Places({ most: 1, maxBytes: 1e9, maxHeld: 1 });
  const delivery = deliveryOf([]);
  places.begin(delivery);
  places.turnedSlow(delivery);
  places.end(delivery, true);
  places.begin(delivery);
  expect(places.hasPlace).toBe(false);
});

test('one event of any size may begin where its owner has nothing under way', () => {
  const places = create(10_000);
  const large = deliveryOf(QUARTER, 100_000);
  expect([places.roomOf([], 100_000, false) > 0, places.mayBegin(large, false)]).toEqual([true, true]);
  places.begin(large);
  expect(places.mayBegin(large, true)).toBe(false);
});

test('an event larger than all of the memory counts as half of it: it keeps nobody waiting, and waits for no silence', () => {
  const places = create(100_000);
  const [small, large] = [deliveryOf(OTHER, 1000), deliveryOf(QUARTER, 1_000_000)];
  for (let round = 0; round < 3; round++) {
    places.begin(small);
    expect(places.mayBegin(large, false)).toBe(true);
    places.begin(large);
    expect(places.mayBegin(small, false)).toBe(true);
    places.end(large, false);
  }
});

test('one that holds half of the memory keeps no large event of another one waiting while small ones come and go', () => {
  const places = create(100_000);
  const hung = deliveryOf([{ key: 'instance presa', part: 0.25 }], 4600);
  while (places.mayBegin(hung, false)) places.begin(hung);
  places.begin(deliveryOf(OTHER, 1000));
  for (const bytes of [20_000, 40_000, 1_000_000])
    expect(places.mayBegin(deliveryOf(QUARTER, bytes), false)).toBe(true);
});

test('of memory a group may have more than its part while half of all is free, and no more than its part beyond that', () => {
  const places = create(1_000_000);
  const large = deliveryOf(QUARTER, 50_000);
  const other = deliveryOf(OTHER, 50_000);
  const begin = (delivery: Delivery): number => {
    let count = 0;
    for (; places.mayBegin(delivery, false); count++) places.begin(delivery);
    return count;
  };
  expect([begin(large), begin(other), begin(large)]).toEqual([4, 2, 0]);
});

test('memory that is kept for what is made ready counts, and is given back once', () => {
  const places = create(1_000_000);
  const large = deliveryOf(QUARTER, 100_000);
  const giveBack = places.keepMemory(QUARTER, 400_000);
  expect(places.mayBegin(large, false)).toBe(false);
  giveBack();
  giveBack();
  expect(places.memoryFor(QUARTER, 250_000)).toBe(1);
  expect(places.memoryFor(QUARTER, 50_000)).toBe(5);
});

test('as many may begin as there was said to be room for, whatever their shares and sizes', () => {
  const shares = fc.uniqueArray(
    fc.record({ key: fc.constantFrom('a', 'b', 'c'), part: fc.constantFrom(0.1, 0.25, 1) }),
    { maxLength: 3, selector: ({ key }) => key },
  );
  fc.assert(
    fc.property(
      fc.array(shares, { maxLength: 20 }),
      shares,
      fc.nat(5000),
      fc.boolean(),
      (before, own, bytes, isAlone) => {
        const places = create(200_000);
        for (const each of before) places.begin(deliveryOf(each, bytes));
        const delivery = deliveryOf(own, bytes);
        const room = places.roomOf(own, delivery.envelope.body.length, isAlone);
        fc.pre(room <= 60);
        let begun = 0;
        for (; begun < room; begun++) {
          expect(places.mayBegin(delivery, isAlone)).toBe(true);
          places.begin(delivery);
        }
      },
    ),
  );
});

test('no more messages of a group wait than its part of what the sources hold, while others hold some', () => {
  const places = create();
  const delivery = deliveryOf(QUARTER);
  places.begin(deliveryOf([]));
  for (let count = 0; count < 10; count++) places.waits(delivery);
  expect(places.mayWait(delivery)).toBe(false);
  places.waitsNoLonger(delivery);
  expect(places.mayWait(delivery)).toBe(true);
});

test('a group that alone holds anything has as many messages wait as come: none of them is parked for nobody', () => {
  const places = create();
  const delivery = deliveryOf(QUARTER);
  for (let count = 0; count < 40; count++) places.waits(delivery);
  expect(places.mayWait(delivery)).toBe(true);
  places.begin(deliveryOf([]));
  expect(places.mayWait(delivery)).toBe(false);
});

test('whatever begins, turns slow, waits and ends: afterwards everything is free again', () => {
  const step = fc.record({ isSlow: fc.boolean(), waits: fc.boolean(), bytes: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const places = create(100);
      const all = steps.map((each) => ({ ...each, delivery: deliveryOf(QUARTER, each.bytes) }));
      for (const { delivery, isSlow, waits } of all) {
        if (waits) {
          places.waits(delivery);
          places.waitsNoLonger(delivery);
        }
        places.begin(delivery);
        if (isSlow) places.turnedSlow(delivery);
      }
      for (const { delivery, isSlow } of all) places.end(delivery, isSlow);
      expect([places.hasPlace, places.memoryFor([], 1e9) > 0]).toEqual([true, true]);
      expect(places.mayBegin(deliveryOf(QUARTER, 1e5), false)).toBe(true);
    }),
  );
});
