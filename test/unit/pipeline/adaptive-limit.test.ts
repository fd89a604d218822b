import fc from 'fast-check';
import { AdaptiveLimit, type LoadSign } from '../../../src/pipeline/adaptive-limit';

const MOST = 1000;
const FIRST = 50;

interface UnderWay {
  readonly sign: LoadSign;
  readonly startedAt: number;
  readonly endsAt: number;
}

/** Takes out the one that ends first. */
function takeFirst(underWay: UnderWay[]): UnderWay {
  let first = 0;
  for (const [index, { endsAt }] of underWay.entries())
    if (endsAt < (underWay[first]?.endsAt ?? 0)) first = index;
  const [taken] = underWay.splice(first, 1);
  if (taken === undefined) throw new Error('nothing is under way');
  return taken;
}

/**
 * An endpoint that answers after `ms`, `places` requests at a time: it queues the rest. Sends as much as the limit lets
 * through until `answers` have come, in virtual time.
 */
function converse(
  limit: AdaptiveLimit,
  endpoint: { readonly places: number; readonly ms: (now: number) => number },
  answers: number,
): { readonly durationMs: number; readonly limits: readonly number[] } {
  const free: number[] = Array.from({ length: endpoint.places }, () => 0);
  const underWay: UnderWay[] = [];
  const limits: number[] = [];
  let now = 0;
  const send = (): void => {
    const place = free.indexOf(Math.min(...free));
    const endsAt = Math.max(now, free[place] ?? 0) + endpoint.ms(now);
    free[place] = endsAt;
    underWay.push({ sign: 'well', startedAt: now, endsAt });
  };
  for (let count = 0; count < answers; count++) {
    while (underWay.length < limit.value) send();
    const ended = takeFirst(underWay);
    // As a clock that goes on: what takes the place of an answered one begins after it.
    now = Math.max(now + 0.01, ended.endsAt);
    limit.ended('well', ended.startedAt, now, underWay.length + 1);
    limits.push(limit.value);
  }
  return { durationMs: now, limits };
}

const create = (most = MOST): AdaptiveLimit => new AdaptiveLimit({ first: FIRST, most });

describe('the limit', () => {
  test('whatever happens, it is at least 1 and never more than the most', () => {
    const sign = fc.constantFrom<LoadSign>('well', 'overloaded', 'nothing');
    const ended = fc.record({ sign, ms: fc.nat(60_000), pauseMs: fc.nat(1000), underWay: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(ended, { maxLength: 300 }), fc.integer({ min: 1, max: 300 }), (all, most) => {
        const limit = create(most);
        let now = 0;
        for (const { sign: each, ms, pauseMs, underWay } of all) {
          now += pauseMs;
          limit.ended(each, now - ms, now, underWay);
          expect(limit.value).toBeGreaterThanOrEqual(1);
          expect(limit.value).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test('an endpoint that takes everything gets everything soon', () => {
    const { limits } = converse(create(), { places: 10_000, ms: () => 200 }, 2000);
    expect(limits.at(-1)).toBe(MOST);
    // 50, 250, and then all.
    expect(limits.indexOf(MOST)).toBeLessThan(50 + 250);
  });

  test('while this process has no time left, answers wait for it: the limit is not raised', () => {
    let idleMs = 0;
    const limitOf = (): AdaptiveLimit =>
      new AdaptiveLimit({ first: FIRST, most: MOST, idleMs: () => idleMs });
    const { limits } = converse(limitOf(), { places: 10_000, ms: () => 20 }, 20_000);
    // The first sample has no beginning to go by.
    expect(Math.max(...limits)).toBe(5 * FIRST);
    const ms = (): number => {
      idleMs++;
      return 20;
    };
    expect(converse(limitOf(), { places: 10_000, ms }, 20_000).limits.at(-1)).toBe(MOST);
  });

  test('an endpoint of 100 places is kept busy, with little more than those', () => {
    const { durationMs, limits } = converse(create(), { places: 100, ms: () => 50 }, 10_000);
    const best = (10_000 / 100) * 50;
    expect(durationMs).toBeLessThan(best * 1.05);
    expect(Math.max(...limits.slice(2000))).toBeLessThan(350);
    expect(Math.min(...limits.slice(2000))).toBeGreaterThanOrEqual(100);
  });

  /** As workers have it by default, at an endpoint of 200 ms: a burst of 10,000. */
  const burst = (places: number, coldMs = 0): ReturnType<typeof converse> => {
    // Answers to what begins at once come late where the process has just begun.
    const ms = (now: number): number => (now === 0 ? 200 + coldMs : 200);
    return converse(new AdaptiveLimit({ first: 100, most: 2000 }), { places, ms }, 10_000);
  };

  test('a burst takes two answer times more than if all that is allowed began at once, whatever the process still has to load', () => {
    // At once: 2000 with each answer time. Here: 100, 500, and then 2000 with each.
    for (const coldMs of [0, 200, 600])
      expect(burst(10_000, coldMs).durationMs - coldMs).toBeLessThan((10_000 / 2000 + 2) * 200 + 50);
  });

  test('no answer time is lost between two steps: each limit is looked at as soon as what began with it is answered', () => {
    const { limits } = burst(10_000);
    expect(limits.indexOf(500)).toBeLessThan(100);
    expect(limits.indexOf(2000)).toBeLessThan(100 + 500);
  });

  test.each([100, 150, 250])(
    'an endpoint of %i places gets no more than five times the first number, once',
    (places) => {
      // Also where the first answers were late for reasons of this process, so that later ones look quick.
      for (const coldMs of [0, 200, 600, 1000]) {
        const { limits } = burst(places, coldMs);
        // Beside it only what later steps of a few add.
        expect(Math.max(...limits)).toBeLessThan(510);
        expect(limits[100 + 500 + 100]).toBeLessThan(500);
        expect(Math.max(...limits.slice(3000))).toBeLessThan(Math.max(2 * places + 50, 350));
        expect(Math.min(...limits)).toBeGreaterThanOrEqual(100);
      }
    },
  );

  test('late answers while this process has no time left are its own for three samples, and then count as ever', () => {
    let idleMs = 0;
    let now = 0;
    const limit = new AdaptiveLimit({ first: 100, most: 2000, idleMs: () => idleMs });
    /** As many answers as make one sample, one after the other, to attempts that began `ms` before. */
    const sample = (ms: number, idle: number): number => {
      now += ms;
      idleMs += idle;
      const underWay = limit.value;
      for (let count = Math.ceil(underWay * 0.8); count > 0; count--)
        limit.ended('well', now - ms + 1, now, underWay);
      return limit.value;
    };
    expect(sample(200, 100)).toBe(500);
    expect([sample(900, 0), sample(900, 0), sample(900, 0)]).toEqual([500, 500, 500]);
    // The process has time again.
    expect(sample(200, 100)).toBe(2000);
    expect(sample(900, 0)).toBe(2000);
    for (let times = 0; times < 2; times++) sample(900, 0);
    expect(sample(900, 0)).toBeLessThan(1500);
  });

  test('a late first measure is corrected by what came beside it, also where this process had no time left meanwhile', () => {
    let clock = 0;
    const limit = new AdaptiveLimit({ first: 100, most: 2000, idleMs: () => (clock < 1500 ? 0 : clock) });
    const ms = (now: number): number => {
      clock = now;
      return now === 0 ? 900 : 200;
    };
    const { limits } = converse(limit, { places: 250, ms }, 2500);
    expect(Math.max(...limits)).toBe(500);
  });

  /** A destination of few events, so that it was never asked for much; then a burst. */
  function sparse(...takingMs: readonly number[]): AdaptiveLimit {
    const limit = new AdaptiveLimit({ first: 100, most: 2000 });
    let now = -1_000_000;
    for (const ms of takingMs)
      for (let count = 0; count < 240; count++) limit.ended('well', now++ - ms, now, 1);
    return limit;
  }

  test('a destination of few events gets everything soon at a burst, although it was quicker in the beginning', () => {
    const { limits } = converse(sparse(50, 200), { places: 10_000, ms: () => 200 }, 1000);
    expect(limits.at(-1)).toBe(2000);
  });

  test('a destination of few events is given what it queues at a burst once, as any other', () => {
    const { limits } = converse(sparse(200), { places: 300, ms: () => 200 }, 2500);
    expect(Math.max(...limits)).toBeLessThan(510);
  });

  test('where answers are nearly late the next step is twice as high, not five times', () => {
    const limit = new AdaptiveLimit({ first: 100, most: 5000 });
    let now = 0;
    for (const [ms, next] of [
      [200, 500],
      [262, 1000],
    ] as const) {
      now += ms + 1;
      const sent = limit.value;
      for (let count = 0; count < sent * 0.8; count++) limit.ended('well', now - ms, now, sent);
      expect(limit.value).toBe(next);
    }
  });

  test('an endpoint whose answers differ much is no reason to hold back', () => {
    let count = 0;
    const ms = (): number => (count++ % 5 === 0 ? 900 : 20);
    const { limits } = converse(create(), { places: 10_000, ms }, 5000);
    expect(limits.at(-1)).toBeGreaterThan(500);
  });

  test('latency alone takes it to no less than it began with', () => {
    const limit = create();
    converse(limit, { places: 10_000, ms: () => 10 }, 2000);
    const { limits } = converse(limit, { places: 5, ms: () => 100 }, 20_000);
    expect(Math.min(...limits)).toBeGreaterThanOrEqual(FIRST);
    expect(limits.at(-1)).toBeLessThan(2 * FIRST);
  });

  test('an endpoint that has become slower for good is given more again', () => {
    const limit = create();
    converse(limit, { places: 10_000, ms: () => 20 }, 2000);
    const { limits } = converse(limit, { places: 10_000, ms: () => 400 }, 20_000);
    expect(limits.at(-1)).toBeGreaterThan(200);
  });
});

describe('signs of overload', () => {
  let now = 0;

  /** Answers at the limit, of which `part` say that it was too much, spread evenly. */
  const answer = (limit: AdaptiveLimit, answers: number, part: number): void => {
    let owed = 0;
    for (let count = 0; count < answers; count++) {
      now++;
      owed += part;
      const isOverloaded = owed >= 1;
      if (isOverloaded) owed--;
      limit.ended(isOverloaded ? 'overloaded' : 'well', now - 0.5, now, limit.value);
    }
  };

  test('nothing but those: half of it for each sample, down to one attempt at a time', () => {
    const limit = create();
    answer(limit, 40, 1);
    expect(limit.value).toBe(FIRST / 2);
    answer(limit, 1000, 1);
    expect(limit.value).toBe(1);
  });

  test('an endpoint that is well again is given more, step by step', () => {
    const limit = create();
    answer(limit, 1000, 1);
    answer(limit, 160, 0);
    expect(limit.value).toBeGreaterThan(5);
    expect(limit.value).toBeLessThan(FIRST);
  });

  test('one failure in seven, for reasons of its own, leaves an endpoint dozens of attempts at once', () => {
    const limit = create();
    answer(limit, 20_000, 1 / 7);
    expect(limit.value).toBeGreaterThan(30);
    expect(limit.value).toBeLessThan(100);
  });

  test('an endpoint that refuses what is more than it takes is given little more', () => {
    const limit = create();
    for (let round = 0; round < 300; round++) {
      const sent = limit.value;
      for (let index = 0; index < sent; index++)
        limit.ended(index < 100 ? 'well' : 'overloaded', now, now + 50, sent);
      now += 51;
    }
    expect(limit.value).toBeGreaterThan(90);
    expect(limit.value).toBeLessThan(150);
  });

  test('of an endpoint that resets what is beyond its connections come while more are under way than were ever answered well', () => {
    const limit = create(2000);
    const underWay: UnderWay[] = [];
    let [time, resets, within] = [0, 0, 0];
    const send = (): void => {
      const isWell = underWay.filter(({ sign }) => sign === 'well').length < 512;
      underWay.push({
        sign: isWell ? 'well' : 'overloaded',
        startedAt: time,
        endsAt: time + (isWell ? 200 : 1),
      });
    };
    while (time < 20_000) {
      while (underWay.length < limit.value) send();
      const { sign, startedAt, endsAt } = takeFirst(underWay);
      time = endsAt;
      if (sign === 'overloaded') resets++;
      if (sign === 'overloaded' && !limit.isBeyondProven(underWay.length + 1)) within++;
      limit.ended(sign, startedAt, time, underWay.length + 1);
    }
    expect(resets).toBeGreaterThan(100);
    // One that began at a higher limit may end when just as many are under way as a lower one allows.
    expect(within).toBeLessThan(resets / 1000);
    expect(limit.value).toBeGreaterThan(300);
  });

  test('before anything was answered well, and after an absence, every refusal counts against the destination', () => {
    const limit = create();
    expect(limit.isBeyondProven(FIRST)).toBe(false);
    converse(limit, { places: 10_000, ms: () => 200 }, 400);
    expect(limit.isBeyondProven(limit.value)).toBe(true);
    limit.restart();
    expect(limit.isBeyondProven(limit.value)).toBe(false);
  });

  test('timeouts of an endpoint that answers others quickly count, although they take longer than many samples', () => {
    const limit = new AdaptiveLimit({ first: 100, most: 2000 });
    const underWay: UnderWay[] = [];
    let [time, peak] = [0, 0];
    // Fifty places answer in 50 ms; whatever comes beyond these hangs for 30 s.
    const send = (): void => {
      const isWell = underWay.filter(({ sign }) => sign === 'well').length < 50;
      const endsAt = time + (isWell ? 50 : 30_000);
      underWay.push({ sign: isWell ? 'well' : 'overloaded', startedAt: time, endsAt });
    };
    while (time < 60_000) {
      while (underWay.length < limit.value) send();
      const { sign, startedAt, endsAt } = takeFirst(underWay);
      time = endsAt;
      limit.ended(sign, startedAt, time, underWay.length + 1);
      peak = Math.max(peak, limit.value);
    }
    expect(peak).toBeLessThanOrEqual(500);
  });

  test('what says nothing changes nothing, nor do good answers while the limit is hardly in use', () => {
    const limit = create();
    for (let count = 0; count < 1000; count++) {
      now++;
      limit.ended('nothing', now - 500, now, 50);
      limit.ended('well', now - 5, now, 3);
    }
    expect(limit.value).toBe(FIRST);
  });
});
