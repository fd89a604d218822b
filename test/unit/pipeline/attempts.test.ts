import { Attempts } from '../../../src/pipeline/attempts';
import { Bulkhead } from '../../../src/pipeline/bulkhead';
import type { AttemptRecord } from '../../../src/pipeline/delivery';
import { Places } from '../../../src/pipeline/places';
import { DELIVERED, FAILED, FakeDestination, INTERRUPTED } from '../../support/harness/pipeline-harness';
import { deliveryTo, eventBody } from '../../support/values/events';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** Room for some attempts, each of which holds its event more than once. */
const MAX_BYTES = eventBody(1).length * 8;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

function setup() {
  const observed: AttemptRecord[] = [];
  const places = new Places({ most: 1, maxBytes: MAX_BYTES, maxHeld: 100 });
  const attempts = new Attempts({
    slowAfterMs: 1000,
    places,
    observer: { attemptEnded: (_delivery, record) => observed.push(record) },
  });
  const bulkhead = new Bulkhead({
    concurrency: { first: 2, most: 2 },
    circuit: { failures: 2, openMs: 10_000, onChange: () => {} },
  });
  const destination = new FakeDestination('webhook:x', 5000);
  const run = (onSlow: () => void = () => {}): Promise<AttemptRecord> =>
    attempts.run({ kind: 'direct', delivery: deliveryTo(destination), bulkhead, onSlow });
  const retry = (attempt: number): Promise<AttemptRecord> =>
    attempts.run({
      kind: 'retry',
      delivery: deliveryTo(destination),
      attempt,
      bulkhead,
      onSlow: () => {},
    });
  return { attempts, places, retry, bulkhead, destination, observed, run };
}

describe('an attempt', () => {
  test('is recorded with its number, start, duration and outcome, and observed once', async () => {
    const { destination, observed, retry } = setup();
    const at = Date.now();
    const record = retry(3);
    expect(destination.at(0).attempt).toBe(3);
    await pass(40);
    destination.at(0).end(DELIVERED);
    expect(await record).toEqual({ attempt: 3, at, durationMs: 40, outcome: DELIVERED });
    expect(observed).toEqual([await record]);
  });

  test('that takes longer than the destination allows is cut off as timed out', async () => {
    const { destination, run } = setup();
    const record = run(() => {});
    await pass(4900);
    expect(destination.at(0).aborts).toEqual([]);
    await pass(200);
    expect(destination.at(0).aborts).toEqual(['timeout']);
    expect((await record).outcome).toEqual(FAILED);
  });

  test('turns slow once, is counted as slow until it ends, and goes on', async () => {
    const { attempts, places, destination, run } = setup();
    const onSlow = jest.fn();
    const record = run(onSlow);
    await pass(950);
    expect([onSlow.mock.calls.length, places.roomOf([], 1, false) > 0]).toEqual([0, false]);
    await pass(2000);
    // Of its own kind there is a place as well.
    expect([onSlow.mock.calls.length, places.roomOf([], 1, false) > 0, attempts.count]).toEqual([1, true, 1]);
    destination.at(0).end(DELIVERED);
    await record;
    expect(attempts.count).toBe(0);
  });

  /** Time in which this process does not run. */
  const standStill = (ms: number): void => {
    const now = performance.now() + ms;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  };
  afterEach(() => jest.restoreAllMocks());

  test('that is stored as slow is cut off before that is due, however little this process ran; at the second look', async () => {
    const { destination, run } = setup();
    const record = run();
    await pass(1100);
    standStill(11_000);
    await pass(50);
    expect(destination.at(0).aborts).toEqual([]);
    await pass(50);
    expect(destination.at(0).aborts).toEqual(['timeout']);
    await record;
  });

  test('that is quick is not cut off for the time in which this process did not run', async () => {
    const { destination, run } = setup();
    const record = run();
    standStill(60_000);
    await pass(200);
    expect(destination.at(0).aborts).toEqual([]);
    destination.at(0).end(DELIVERED);
    await record;
  });

  test('holds its place in the bulkhead and its bytes in memory exactly as long as it runs', async () => {
    const { places, bulkhead, destination, run } = setup();
    const records = [run(() => {}), run(() => {})];
    expect(bulkhead.hasRoom).toBe(false);
    expect(places.memoryFor([], eventBody(1).length)).toBe(2);
    destination.at(0).end(DELIVERED);
    destination.at(1).end(FAILED);
    await Promise.all(records);
    expect([bulkhead.hasRoom, bulkhead.isIdle]).toEqual([true, true]);
    expect(places.memoryFor([], eventBody(1).length)).toBe(4);
  });

  test('is waited for no longer than was said, and whoever waited in vain is forgotten', async () => {
    const { attempts, destination, run } = setup();
    const record = run(() => {});
    let heard = 0;
    const hear = (): void => {
      heard++;
    };
    const before = jest.getTimerCount();
    for (let times = 0; times < 3; times++) {
      void attempts.nextEnd(100).then(hear);
      await pass(100);
    }
    expect([heard, jest.getTimerCount()]).toEqual([3, before]);
    void attempts.nextEnd(1_000_000).then(hear);
    destination.at(0).end(DELIVERED);
    await record;
    await pass(0);
    expect([heard, jest.getTimerCount()]).toEqual([4, 0]);
  });

  test('tells of its free room after it is free', async () => {
    const { attempts, bulkhead, destination, run } = setup();
    const seen: boolean[] = [];
    attempts.room.listen(() => seen.push(bulkhead.isIdle && attempts.count === 0));
    const record = run(() => {});
    destination.at(0).end(DELIVERED);
    await record;
    expect(seen).toEqual([true]);
  });

  test('of a destination that throws on start is our own fault, and leaves nothing behind', async () => {
    const { attempts, bulkhead, destination, run } = setup();
    destination.start = () => {
      throw new TypeError('no');
    };
    expect((await run(() => {})).outcome).toEqual({ kind: 'interrupted', code: 'TypeError' });
    expect([attempts.count, bulkhead.isIdle]).toEqual([0, true]);
  });

  test('that the circuit refuses is an interruption: nothing was sent', async () => {
    const { destination, run } = setup();
    destination.answer = FAILED;
    await Promise.all([run(() => {}), run(() => {})]);
    const refused = await run(() => {});
    expect(refused.outcome.kind).toBe('interrupted');
    expect(destination.attempts).toHaveLength(2);
  });
});

describe('interrupt and idle', () => {
  test('interrupt cuts every attempt under way short, idle resolves after the last', async () => {
    const { attempts, destination, run } = setup();
    await attempts.idle();
    const records = Promise.all([run(() => {}), run(() => {})]);
    const idle = attempts.idle();
    attempts.interrupt();
    expect((await records).map(({ outcome }) => outcome)).toEqual([INTERRUPTED, INTERRUPTED]);
    await idle;
    expect(destination.attempts.map(({ aborts }) => aborts)).toEqual([['shutdown'], ['shutdown']]);
  });

  test('no timer runs while nothing is under way', async () => {
    const { destination, run } = setup();
    const record = run(() => {});
    expect(jest.getTimerCount()).toBe(1);
    destination.at(0).end(DELIVERED);
    await record;
    expect(jest.getTimerCount()).toBe(0);
  });

  test('whatever order attempts end in, each leaves by itself', async () => {
    const { attempts, destination } = setup();
    const roomy = new Bulkhead({
      concurrency: { first: 100, most: 100 },
      circuit: { failures: 1000, openMs: 1, onChange: () => {} },
    });
    const order = [3, 0, 7, 9, 1, 8, 2, 6, 4, 5];
    const records = order.map(() =>
      attempts.run({ kind: 'direct', delivery: deliveryTo(destination), bulkhead: roomy, onSlow: () => {} }),
    );
    for (const [left, index] of order.entries()) {
      destination.at(index).end(DELIVERED);
      await records[index];
      expect(attempts.count).toBe(order.length - left - 1);
    }
    expect(roomy.isIdle).toBe(true);
  });
});
