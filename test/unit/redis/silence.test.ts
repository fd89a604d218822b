import { Silence } from '../../../src/redis/silence';

const LIMIT_MS = 10_000;

describe('a peer that owes an answer', () => {
  let silence: Silence;
  beforeEach(() => {
    silence = new Silence(LIMIT_MS);
    silence.hear(200);
  });

  test('nothing was asked: it may be quiet for ever', () => {
    for (let look = 0; look < 100; look++) expect(silence.look(200, 0, 1000)).toBe(false);
  });

  test('asked, it is silent once the limit is reached', () => {
    for (let look = 0; look < 9; look++) expect(silence.look(210, 0, 1000)).toBe(false);
    expect(silence.look(210, 0, 1000)).toBe(true);
  });

  test('asking again and again does not put it off', () => {
    const looks = Array.from({ length: 10 }, (_, index) => silence.look(214 + 14 * index, 0, 1000));
    expect(looks).toEqual([...new Array(9).fill(false), true]);
  });

  test('what is asked after it was heard counts from the next look on', () => {
    silence.hear(200);
    expect(silence.look(210, 0, LIMIT_MS)).toBe(true);
  });

  test('any byte that comes counts as an answer, and tells how late it is', () => {
    silence.look(210, 0, 9000);
    expect(silence.hear(210)).toBe(9000);
    expect(silence.look(210, 0, 60_000)).toBe(false);
    expect(silence.hear(210)).toBe(0);
  });

  test('a large body that is still being sent is no silence; one that is stuck is', () => {
    const body = 8_000_000;
    for (let sent = 0; sent <= body; sent += 100_000)
      expect(silence.look(200 + body, body - sent, 1000)).toBe(false);
    silence.look(200 + 2 * body, body, 1000);
    expect(silence.look(200 + 2 * body, body, LIMIT_MS)).toBe(true);
  });
});
