import fc from 'fast-check';
import { pack, unpack } from '../../../src/silence/stored-instance';
import { NOTHING_HEARD, WatchedInstance } from '../../../src/silence/watched-instance';
import { nth } from '../../support/values/items';
import { BEGIN, KINDS, live, seeded } from '../../support/values/synthetic-weeks';

const STEP_MS = 120_000;
const HOUR_MS = 3_600_000;
const LIVELY = nth(
  KINDS.filter(({ name }) => name === 'lively shop'),
  0,
);

describe('synthetic weeks (npm run bench -- --only silence has many)', () => {
  test.each(KINDS)('$name: three weeks of usual life raise nothing', (kind) => {
    expect(live({ kind, weeks: 3, random: seeded(4) })).toEqual([]);
  });

  test('the silence of a lively instance is seen within half an hour', () => {
    const failsAt = BEGIN + (2 * 168 + 2 * 24 + 15) * HOUR_MS;
    const [first] = live({ kind: LIVELY, weeks: 3, random: seeded(4), failsAt });
    expect(first?.why).toBe('fell-silent');
    expect((first?.at ?? 0) - failsAt).toBeLessThan(HOUR_MS / 2);
  });

  test('messages that stop while presence goes on are seen on the same day', () => {
    const failsAt = BEGIN + (2 * 168 + 2 * 24 + 3) * HOUR_MS;
    const [first] = live({ kind: LIVELY, weeks: 3, random: seeded(4), failsAt, othersGoOn: true });
    expect(first?.why).toBe('only-others');
    expect((first?.at ?? 0) - failsAt).toBeLessThan(12 * HOUR_MS);
  });
});

describe('what is learned', () => {
  test('an Evolution channel is not watched', () => {
    const instance = WatchedInstance.new(BEGIN);
    instance.advance(BEGIN + STEP_MS, { messages: 1, others: 0, said: 'unwatched' });
    instance.advance(BEGIN + 2 * STEP_MS, { messages: 0, others: 0, said: 'closed' });
    expect(instance.verdict).toEqual({ kind: 'unwatched' });
  });

  test('an hour to which nobody listened is not taken for a quiet one', () => {
    const instance = WatchedInstance.new(BEGIN);
    instance.skip(BEGIN + HOUR_MS / 2);
    for (let at = BEGIN + HOUR_MS / 2; at < BEGIN + HOUR_MS; at += STEP_MS)
      instance.advance(at + STEP_MS, NOTHING_HEARD);
    expect(instance.rhythm.usual.knownDays).toBe(0);
  });

  test('is stored and read as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 200 }), (messages) => {
        const instance = WatchedInstance.new(BEGIN);
        for (const [index, count] of messages.entries())
          instance.advance(BEGIN + (index + 1) * STEP_MS, { messages: count, others: 1 });
        const read = unpack(pack(instance));
        expect(read?.state).toEqual(instance.state);
        expect(read?.rhythm.usual).toEqual(instance.rhythm.usual);
      }),
      { numRuns: 20 },
    );
  });

  test.each(['', 'AAAA', 'no record'])('%p is no record', (text) => {
    expect(unpack(text)).toBeUndefined();
  });
});
