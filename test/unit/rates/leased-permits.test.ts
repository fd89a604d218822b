import fc from 'fast-check';
import type { Rate } from '../../../src/pipeline/destination-limits';
import { LeasedPermits } from '../../../src/rates/leased-permits';
import { monotonicMs } from '../../../src/time/monotonic';
import { FakeLeases } from '../../support/fakes/fake-leases';
import { mostWithin } from '../../support/values/moments';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** A worker: deliveries wait in it, and begin as soon as they may. */
class Worker {
  readonly begun: number[] = [];
  waiting = 0;
  readonly permits: LeasedPermits;

  constructor(leases: FakeLeases, rate: Rate, name: string) {
    this.permits = new LeasedPermits({
      rate,
      lease: leases.for(name),
      waiting: () => this.waiting,
      onFree: () => this.work(),
      onError: () => {},
    });
  }

  add(count: number): void {
    this.waiting += count;
    this.work();
  }

  work(): void {
    while (this.waiting > 0 && this.permits.isFree) {
      this.waiting--;
      this.permits.take(false);
      this.begun.push(monotonicMs());
    }
  }
}

function setup(rate: Rate, workers = 1, answerMs = 1) {
  const leases = new FakeLeases(rate, answerMs);
  const all = Array.from({ length: workers }, (_, index) => new Worker(leases, rate, String(index)));
  const begun = (): number[] => all.flatMap((worker) => worker.begun).sort((one, other) => one - other);
  const close = (): void => {
    for (const { permits } of all) permits.close();
  };
  return { leases, all, begun, close };
}

function nth<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}

describe('a rate limit', () => {
  test.each([
    { count: 100, seconds: 1 },
    { count: 30, seconds: 10 },
    { count: 600, seconds: 60 },
    { count: 3000, seconds: 5 },
  ])(
    '4 workers with a backlog make within 2 % of $count in $seconds s over minutes, and ask less than once an event',
    async (rate) => {
      const { all, begun, leases, close } = setup(rate, 4, 3);
      for (const worker of all) worker.add(100_000);
      const minutes = 3;
      const windows = (minutes * 60) / rate.seconds;
      await pass(minutes * 60_000 - 500);
      const expected = rate.count * windows;
      expect(begun().length).toBeGreaterThan(expected * 0.98);
      expect(begun().length).toBeLessThanOrEqual(expected * 1.02);
      if (rate.count / rate.seconds > 50) expect(leases.calls).toBeLessThan(begun().length / 2);
      close();
    },
  );

  test('what is allowed at once begins at once, and the rest as soon as a window ends', async () => {
    const rate = { count: 40, seconds: 10 };
    const { all, begun, close } = setup(rate, 2);
    for (const worker of all) worker.add(40);
    await pass(200);
    expect(begun()).toHaveLength(40);
    await pass(9500);
    expect(begun()).toHaveLength(40);
    await pass(1500);
    expect(begun()).toHaveLength(80);
    close();
  });

  test('whatever comes when, to however many workers: no window has more than the count and what the lag of answers adds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 60 }),
          seconds: fc.constantFrom(1, 5, 30),
          workers: fc.integer({ min: 1, max: 4 }),
          answerMs: fc.constantFrom(0, 2, 20),
        }),
        fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 40 }), fc.nat(4000)), { maxLength: 25 }),
        async ({ workers, answerMs, ...rate }, arrivals) => {
          const { all, begun, close } = setup(rate, workers, answerMs);
          for (const [worker, count, afterMs] of arrivals) {
            nth(all, worker % workers).add(count);
            await pass(afterMs);
          }
          // A lease is used within its life; what was free while a worker waited is leased as of then.
          const lagMs = 50 + rate.seconds * 50 + Math.min(1100, rate.seconds * 250);
          const parts = Math.ceil(lagMs / (rate.seconds * 1000)) + 1;
          expect(mostWithin(begun(), rate.seconds * 1000)).toBeLessThanOrEqual(rate.count * parts);
          expect(mostWithin(begun(), rate.seconds * 1000 + lagMs)).toBeLessThanOrEqual(
            rate.count * (parts + 1),
          );
          close();
        },
      ),
      { numRuns: 60 },
    );
  });

  test('permits that one worker does not use are used by another', async () => {
    const rate = { count: 80, seconds: 20 };
    const { all, begun, close } = setup(rate, 2);
    const [one, other] = [nth(all, 0), nth(all, 1)];
    one.add(10);
    await pass(10);
    // It holds what it leased beyond that for a while only.
    one.add(1);
    other.add(200);
    await pass(3000);
    expect(begun()).toHaveLength(80);
    close();
  });

  test('whatever waits or gives up when: a worker asks one question at a time, and nothing waits for good', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ count: fc.integer({ min: 1, max: 30 }), seconds: fc.constantFrom(1, 5) }),
        fc.constantFrom(2, 90, 300),
        fc.array(fc.tuple(fc.constantFrom('fresh', 'retry that gives up'), fc.nat(1), fc.nat(400)), {
          maxLength: 25,
        }),
        async (rate, answerMs, arrivals) => {
          const { all, leases, begun, close } = setup(rate, 2, answerMs);
          let fresh = 0;
          for (const [what, index, afterMs] of arrivals) {
            const worker = nth(all, index);
            if (what === 'fresh') worker.add(1);
            else void worker.permits.forRetry();
            if (what === 'fresh') fresh++;
            await pass(afterMs);
          }
          await pass(300_000);
          expect(leases.mostAtOnce).toBeLessThanOrEqual(1);
          expect(begun()).toHaveLength(fresh);
          close();
        },
      ),
      { numRuns: 100 },
    );
  });

  test('an event below the limit waits for one answer at the most', async () => {
    const { all, begun, close } = setup({ count: 100, seconds: 60 });
    nth(all, 0).add(1);
    await pass(5);
    expect(begun()).toHaveLength(1);
    close();
  });
});

async function allHeardOfEachOther(workers: readonly Worker[], betweenMs: number): Promise<void> {
  for (const _round of [1, 2]) {
    for (const worker of workers) worker.add(1);
    await pass(betweenMs);
  }
}

describe('while Redis is away', () => {
  test('each worker goes on with its part of what was known last', async () => {
    const rate = { count: 40, seconds: 10 };
    const { all, leases, begun, close } = setup(rate, 4);
    await allHeardOfEachOther(all, 20_000);
    leases.isAway = true;
    for (const worker of all) worker.add(1000);
    await pass(60_000);
    for (const { begun: times } of all) expect(times.length).toBeGreaterThan(50);
    expect(mostWithin(begun(), 10_000)).toBeLessThanOrEqual(44);
    close();
  });

  test('a limit smaller than the number of workers holds, too', async () => {
    const rate = { count: 1, seconds: 5 };
    const { all, leases, begun, close } = setup(rate, 4);
    await allHeardOfEachOther(all, 30_000);
    leases.isAway = true;
    const before = begun().length;
    for (const worker of all) worker.add(1000);
    await pass(100_000);
    expect(begun().length - before).toBeGreaterThan(15);
    expect(begun().length - before).toBeLessThanOrEqual(25);
    close();
  });

  test('and where it was never heard of with a quarter of the rate, never without a limit', async () => {
    const { all, leases, begun, close } = setup({ count: 40, seconds: 10 });
    leases.isAway = true;
    nth(all, 0).add(1000);
    await pass(30_000);
    expect(begun().length).toBeGreaterThan(20);
    expect(begun().length).toBeLessThanOrEqual(40);
    close();
  });

  test('a Redis that is silent counts as away, and what was used meanwhile counts once it is back', async () => {
    const rate = { count: 40, seconds: 10 };
    const { all, leases, begun, close } = setup(rate, 1);
    nth(all, 0).add(1);
    await pass(100);
    leases.isSilent = true;
    nth(all, 0).add(1000);
    await pass(5000);
    expect(begun().length).toBeGreaterThan(30);
    leases.isSilent = false;
    await pass(3000);
    expect(mostWithin(begun(), 9000)).toBeLessThanOrEqual(41);
    await pass(60_000);
    expect(begun().length).toBeGreaterThan(240);
    close();
  });
});

describe('retries', () => {
  test('that wait for a permit get every second one while fresh deliveries wait, too', async () => {
    const { all, close } = setup({ count: 10, seconds: 1 });
    const worker = nth(all, 0);
    worker.add(1000);
    let retries = 0;
    const retry = async (): Promise<void> => {
      if (!(await worker.permits.forRetry()) || !worker.permits.isFreeForRetry) return;
      worker.permits.take(true);
      retries++;
    };
    const timer = setInterval(() => void retry(), 50);
    await pass(10_000);
    clearInterval(timer);
    expect(retries).toBeGreaterThan(30);
    expect(worker.begun.length).toBeGreaterThan(30);
    close();
    await pass(1100);
  });

  test('of a destination without fresh deliveries use its rate, however slow it is, and are told how long there is none', async () => {
    const { all, begun, close } = setup({ count: 2, seconds: 60 }, 2);
    const { permits, begun: own } = nth(all, 0);
    for (let seconds = 0; seconds < 250; seconds++) {
      if (permits.forRetries === 0) expect(permits.noneForRetriesMs).toBeGreaterThan(0);
      else void permits.forRetry();
      await pass(500);
      while (permits.isFreeForRetry) {
        permits.take(true);
        own.push(monotonicMs());
      }
      await pass(500);
    }
    expect(begun().length).toBeGreaterThanOrEqual(8);
    expect(mostWithin(begun(), 58_000)).toBeLessThanOrEqual(2);
    close();
  });

  test('use the rate where Redis is far away: as many wait as permits come with one answer', async () => {
    const rate = { count: 200, seconds: 1 };
    const { all, close } = setup(rate, 2, 200);
    let begun = 0;
    const outstanding = new Map(all.map((worker) => [worker, 0]));
    const retry = async (worker: Worker): Promise<void> => {
      const { permits } = worker;
      outstanding.set(worker, (outstanding.get(worker) ?? 0) + 1);
      await permits.forRetry();
      outstanding.set(worker, (outstanding.get(worker) ?? 0) - 1);
      if (!permits.isFreeForRetry) return;
      permits.take(true);
      begun++;
    };
    // Redis hands over those that may be taken as slowly as it answers.
    for (let round = 0; round < 100; round++) {
      for (const worker of all) {
        const more = worker.permits.forRetries - (outstanding.get(worker) ?? 0);
        for (let taken = 0; taken < more; taken++) void retry(worker);
      }
      await pass(200);
    }
    expect(begun).toBeGreaterThan(0.5 * rate.count * 20);
    close();
    await pass(1100);
  });

  test('are taken for the permits that are there, and a few more for those that come within a second', async () => {
    const { all, close } = setup({ count: 100, seconds: 10 });
    const { permits } = nth(all, 0);
    expect(permits.forRetries).toBe(2);
    const [first, second] = [permits.forRetry(), permits.forRetry()];
    expect(permits.forRetries).toBe(2);
    await pass(5);
    expect(await Promise.all([first, second])).toEqual([true, true]);
    // It is known to be the only worker.
    expect(permits.forRetries).toBe(6);
    close();
  });

  test('wait no longer than a second, and none where the next permit is further away', async () => {
    const { all, close } = setup({ count: 1, seconds: 60 });
    const { permits } = nth(all, 0);
    const first = permits.forRetry();
    await pass(5);
    expect(await first).toBe(true);
    permits.take(true);
    const second = permits.forRetry();
    await pass(1001);
    expect(await second).toBe(false);
    expect(await permits.forRetry()).toBe(false);
    close();
  });
});
