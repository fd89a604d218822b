import { attemptFigures } from '../../../src/dashboard/attempt-figures';
import { ratesOf } from '../../../src/dashboard/overviews';
import { SharedReading } from '../../../src/dashboard/shared-reading';
import { SharedReadings } from '../../../src/dashboard/shared-readings';
import type { LogRecord } from '../../../src/delivery-log/log-record';

function setup(takesMs = 0) {
  const world = { now: 0, reads: 0, fails: false };
  const read = async (): Promise<number> => {
    world.now += takesMs;
    if (world.fails) throw new Error('away');
    return ++world.reads;
  };
  return { world, reading: new SharedReading({ read, leastMs: 1000, now: () => world.now }) };
}

describe('a shared reading', () => {
  test('is made once for all who ask within its interval, and not while nobody asks', async () => {
    const { world, reading } = setup();
    expect(await Promise.all([reading.current(), reading.current(), reading.current()])).toEqual([1, 1, 1]);
    world.now = 999;
    expect(await reading.current()).toBe(1);
    world.now = 60_000;
    expect(world.reads).toBe(1);
    expect(await reading.current()).toBe(2);
  });

  test('that takes long is made less often: it takes no more than a fiftieth of the time', async () => {
    const { world, reading } = setup(400);
    await reading.current();
    world.now = 20_000;
    expect(await reading.current()).toBe(1);
    world.now = 20_401;
    expect(await reading.current()).toBe(2);
  });

  test('during which Redis paused for five seconds is not shown for minutes', async () => {
    const { world, reading } = setup(5000);
    await reading.current();
    world.now = 35_001;
    expect(await reading.current()).toBe(2);
  });

  test('that failed is made again for the next who asks', async () => {
    const { world, reading } = setup();
    world.fails = true;
    await expect(reading.current()).rejects.toThrow('away');
    world.fails = false;
    expect(await reading.current()).toBe(1);
  });
});

test('figures count attempts by destination, and what was cut short from our side is none', () => {
  const record = (destination: string, what: LogRecord['what'], durationMs: number, attempt = 1) =>
    ({ destination, what, durationMs, attempt }) as LogRecord;
  const figures = attemptFigures([
    ...Array.from({ length: 98 }, () => record('a', 'delivered', 10)),
    record('a', 'failed', 500),
    record('a', 'rejected', 900),
    record('a', 'interrupted', 5000),
    record('a', 'parked', 0, 0),
    record('b', 'delivered', 7),
  ]);
  expect(figures.get('a')).toEqual({ attempts: 100, failureShare: 0.02, p99Ms: 500 });
  expect(figures.get('b')).toEqual({ attempts: 1, failureShare: 0, p99Ms: 7 });
});

test('rates are those between two moments, and unknown where the counters were lost in between', () => {
  const numbers = { discarded: 0, parked: 0, oldestMs: 0 };
  const before = { ...numbers, at: 0, received: 10, accepted: 10, delivered: 10, dead: 5 };
  const now = { ...numbers, at: 10_000, received: 110, accepted: 210, delivered: 60, dead: 3 };
  expect(ratesOf(before, now)).toEqual({ received: 10, accepted: 20, delivered: 5, dead: 0 });
  expect(ratesOf(now, { ...now, at: 20_000, accepted: 0 })).toBeUndefined();
  expect(ratesOf(now, now)).toBeUndefined();
});

test('what is read for a question is what was asked last: `2h` is another time by then', async () => {
  const readings = new SharedReadings<number>({ leastMs: 1000, max: 10 });
  const away = (): Promise<number> => Promise.reject(new Error('away'));
  await expect(readings.of({ since: '2h' }, away)).rejects.toThrow('away');
  expect(await readings.of({ since: '2h' }, async () => 2)).toBe(2);
});
