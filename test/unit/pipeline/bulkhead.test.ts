import { Bulkhead } from '../../../src/pipeline/bulkhead';
import { Bulkheads, type Limited } from '../../../src/pipeline/bulkheads';
import type { DestinationId } from '../../../src/pipeline/delivery';
import type { Limits } from '../../../src/pipeline/destination-limits';
import { DELIVERED, FAILED } from '../../support/harness/pipeline-harness';

const NOW = 1_700_000_000_000;

function setup(concurrency = 4) {
  const bulkhead = new Bulkhead({
    concurrency: { first: concurrency, most: concurrency },
    circuit: { failures: 2, openMs: 10_000, onChange: () => {} },
  });
  /** Attempts that take `durationMs`, one after the other: the average follows. */
  const answerIn = (durationMs: number, times = 100): void => {
    for (let count = 0; count < times; count++) {
      bulkhead.leave(bulkhead.enter(NOW, false), NOW + durationMs, false, DELIVERED);
    }
  };
  return { bulkhead, answerIn };
}

/** Whether a delivery behind so many others would wait for more than a second. */
function waitsTooLong(bulkhead: Bulkhead, waiting: number, now: number): boolean {
  bulkhead.waiting = waiting;
  return bulkhead.wouldWaitTooLong(1000, now);
}

describe('admission', () => {
  test('as many attempts as configured, retries at most half of them where fresh deliveries wait', () => {
    const { bulkhead } = setup(4);
    bulkhead.waiting = 1;
    const turns = [bulkhead.enter(NOW, true), bulkhead.enter(NOW, true)];
    expect([bulkhead.hasRoom, bulkhead.hasRoomForRetry]).toEqual([true, false]);
    bulkhead.enter(NOW, false);
    bulkhead.enter(NOW, false);
    expect([bulkhead.hasRoom, bulkhead.hasRoomForRetry]).toEqual([false, false]);
    for (const turn of turns) bulkhead.leave(turn, NOW, true, DELIVERED);
    expect([bulkhead.hasRoom, bulkhead.hasRoomForRetry]).toEqual([true, true]);
  });

  test('retries use all of the room that no fresh delivery asks for', () => {
    const { bulkhead } = setup(4);
    for (let count = 0; count < 3; count++) bulkhead.enter(NOW, true);
    expect(bulkhead.hasRoomForRetry).toBe(true);
    bulkhead.enter(NOW, true);
    expect(bulkhead.hasRoomForRetry).toBe(false);
  });

  test('fresh events may use all of the room; retries then wait', () => {
    const { bulkhead } = setup(2);
    bulkhead.enter(NOW, false);
    expect(bulkhead.hasRoomForRetry).toBe(true);
    bulkhead.enter(NOW, false);
    expect(bulkhead.hasRoomForRetry).toBe(false);
  });

  test('a retry that found no room gets the next place, although fresh deliveries wait', () => {
    const { bulkhead } = setup(4);
    bulkhead.waiting = 10;
    const turns = [1, 2, 3, 4].map(() => bulkhead.enter(NOW, false));
    expect(bulkhead.hasRoomForRetry).toBe(false);
    for (const turn of turns.slice(0, 1)) bulkhead.leave(turn, NOW, false, DELIVERED);
    expect([bulkhead.hasRoom, bulkhead.hasRoomForRetry]).toEqual([false, true]);
    bulkhead.leave(bulkhead.enter(NOW, true), NOW, true, DELIVERED);
    expect(bulkhead.hasRoom).toBe(true);
  });

  test('even where there is room for one only, retries get it', () => {
    expect(setup(1).bulkhead.hasRoomForRetry).toBe(true);
  });
});

describe('the estimate of the wait', () => {
  test('a destination that answers at once never makes anybody wait too long', () => {
    const { bulkhead, answerIn } = setup();
    answerIn(1);
    expect(waitsTooLong(bulkhead, 3000, NOW)).toBe(false);
  });

  test('follows how long answers take, and how many wait', () => {
    const { bulkhead, answerIn } = setup(4);
    answerIn(400);
    expect(waitsTooLong(bulkhead, 8, NOW)).toBe(false);
    expect(waitsTooLong(bulkhead, 11, NOW)).toBe(true);
  });

  test('counts an attempt that hangs before it has ended', () => {
    const { bulkhead, answerIn } = setup(1);
    answerIn(10);
    bulkhead.enter(NOW, false);
    expect(waitsTooLong(bulkhead, 0, NOW + 900)).toBe(false);
    expect(waitsTooLong(bulkhead, 0, NOW + 1100)).toBe(true);
  });

  test('goes by the places that answer, where one attempt of many hangs', () => {
    const { bulkhead, answerIn } = setup(100);
    answerIn(5);
    bulkhead.enter(NOW, false);
    for (let count = 1; count < 100; count++) bulkhead.enter(NOW + 29_995, false);
    expect(waitsTooLong(bulkhead, 1900, NOW + 30_000)).toBe(false);
  });

  test('goes by those that hang, where all of them do', () => {
    const { bulkhead, answerIn } = setup(100);
    answerIn(5);
    for (let count = 0; count < 100; count++) bulkhead.enter(NOW + count, false);
    expect(waitsTooLong(bulkhead, 100, NOW + 900)).toBe(false);
    expect(waitsTooLong(bulkhead, 100, NOW + 1200)).toBe(true);
  });

  test('grows as places are lost to attempts that hang', () => {
    const { bulkhead, answerIn } = setup(100);
    answerIn(50);
    for (let count = 0; count < 90; count++) bulkhead.enter(NOW, false);
    for (let count = 0; count < 10; count++) bulkhead.enter(NOW + 29_990, false);
    expect(waitsTooLong(bulkhead, 150, NOW + 30_000)).toBe(false);
    expect(waitsTooLong(bulkhead, 300, NOW + 30_000)).toBe(true);
  });

  test('forgets an attempt that has ended', () => {
    const { bulkhead } = setup(2);
    const hanging = bulkhead.enter(NOW, false);
    bulkhead.enter(NOW + 5000, false);
    expect(waitsTooLong(bulkhead, 0, NOW + 5000)).toBe(true);
    bulkhead.leave(hanging, NOW + 5000, false, DELIVERED);
    expect(waitsTooLong(bulkhead, 0, NOW + 5000)).toBe(false);
  });
});

describe('retries', () => {
  test('use all room that no fresh event asks for, and half of it while some wait', () => {
    const { bulkhead } = setup(8);
    expect(bulkhead.roomForRetries).toBe(8);
    bulkhead.enter(NOW, false);
    bulkhead.enter(NOW, true);
    expect(bulkhead.roomForRetries).toBe(6);
    bulkhead.waiting = 5;
    expect(bulkhead.roomForRetries).toBe(3);
  });

  test('of a quick destination are at hand for the next place, of a slow or hanging one they are not', () => {
    const { bulkhead, answerIn } = setup(8);
    expect(bulkhead.spareRetries(NOW)).toBe(8);
    const hanging = bulkhead.enter(NOW, false);
    expect(bulkhead.spareRetries(NOW + 1000)).toBe(0);
    bulkhead.leave(hanging, NOW + 1000, false, DELIVERED);
    for (let count = 0; count < 50; count++) answerIn(2000);
    expect(bulkhead.spareRetries(NOW)).toBe(0);
  });

  test('of a destination that was away begin with a few, whatever it took before', () => {
    const { bulkhead } = setup(100);
    bulkhead.restart();
    expect(bulkhead.roomForRetries).toBe(10);
  });
});

describe('Bulkheads', () => {
  const id = (name: string): DestinationId => `webhook:${name}` as DestinationId;
  const named = (name: string, limits: Limits = {}): Limited => ({ id: id(name), limits });

  test('every destination has one of its own, and open circuits are counted', async () => {
    const told: [DestinationId, boolean][] = [];
    const bulkheads = new Bulkheads({
      concurrency: 1,
      circuitFailures: 1,
      circuitOpenMs: 60_000,
      onCircuit: (destination, isOpen) => told.push([destination, isOpen]),
    });
    expect(bulkheads.of(named('a'))).toBe(bulkheads.of(named('a')));
    bulkheads.of(named('a')).enter(NOW, false);
    expect(bulkheads.of(named('b')).hasRoom).toBe(true);
    await bulkheads.of(named('b')).circuit.run(async () => FAILED);
    expect(bulkheads.circuitsOpen).toBe(1);
    expect(told).toEqual([[id('b'), true]]);
    expect(bulkheads.of(named('a')).circuit.closedIn()).toBe(0);
  });

  test('remembers a bounded number of destinations, and never forgets one that is busy or broken', async () => {
    const bulkheads = new Bulkheads({
      concurrency: 1,
      circuitFailures: 1,
      circuitOpenMs: 60_000,
      onCircuit: () => {},
    });
    bulkheads.of(named('busy')).enter(NOW, false);
    await bulkheads.of(named('broken')).circuit.run(async () => FAILED);
    const idle = bulkheads.of(named('idle'));
    for (let count = 0; count < 50_010; count++) bulkheads.of(named(String(count)));
    expect(bulkheads.of(named('busy')).hasRoom).toBe(false);
    expect(bulkheads.of(named('broken')).circuit.closedIn()).toBeGreaterThan(0);
    expect(bulkheads.of(named('idle'))).not.toBe(idle);
  });

  test('what was set for a destination limits its attempts, in requests, and never beyond the operator’s limit', () => {
    const bulkheads = new Bulkheads({
      concurrency: 4,
      perRequest: (each) => (each === id('batches') ? 10 : 1),
      circuitFailures: 1,
      circuitOpenMs: 60_000,
      onCircuit: () => {},
    });
    const roomOf = (name: string, limits: Limits): number => {
      let bulkhead = bulkheads.of(named(name, limits));
      let count = 0;
      for (; bulkhead.hasRoom; count++) {
        bulkhead.enter(NOW, false);
        bulkhead = bulkheads.of(named(name, limits));
      }
      return count;
    };
    expect(roomOf('few', { concurrency: 2 })).toBe(2);
    expect(roomOf('many', { concurrency: 100 })).toBe(4);
    expect(roomOf('batches', { concurrency: 2 })).toBe(20);
    // Set anew while attempts are under way.
    expect(roomOf('few', { concurrency: 3 })).toBe(1);
    expect(roomOf('few', {})).toBe(1);
  });
});
