import { Silence } from '../../../src/redis/silence';

const LIMIT_MS = 10_000;
const quiet = { read: 100, written: 200, unsent: 0 };

describe('a peer that owes an answer', () => {
  let silence: Silence;
  beforeEach(() => {
    silence = new Silence(LIMIT_MS);
    silence.observe(quiet, 0);
  });

  test('nothing was asked: it may be quiet for ever', () => {
    for (let look = 0; look < 100; look++) expect(silence.observe(quiet, 1000)).toBe(false);
  });

  test('asked, it is silent once the limit is reached', () => {
    const asked = { ...quiet, written: 210 };
    for (let look = 0; look < 9; look++) expect(silence.observe(asked, 1000)).toBe(false);
    expect(silence.observe(asked, 1000)).toBe(true);
  });

  test('asking again and again does not put it off', () => {
    let written = 200;
    const looks = Array.from({ length: 10 }, () => {
      written += 14;
      return silence.observe({ ...quiet, written }, 1000);
    });
    expect(looks).toEqual([...new Array(9).fill(false), true]);
  });

  test('any byte that comes counts as an answer', () => {
    silence.observe({ ...quiet, written: 210 }, 9000);
    expect(silence.observe({ read: 101, written: 210, unsent: 0 }, 5000)).toBe(false);
    expect(silence.observe({ read: 101, written: 210, unsent: 0 }, 60_000)).toBe(false);
  });

  test('a large body that is still being sent is no silence; one that is stuck is', () => {
    const body = 8_000_000;
    for (let sent = 0; sent <= body; sent += 100_000) {
      const traffic = { read: 100, written: 200 + body, unsent: body - sent };
      expect(silence.observe(traffic, 1000)).toBe(false);
    }
    const stuck = { read: 100, written: 200 + 2 * body, unsent: body };
    silence.observe(stuck, 1000);
    expect(silence.observe(stuck, LIMIT_MS)).toBe(true);
  });
});
