import { type Quiet, verdictOf } from '../../../src/silence/verdict';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A lively instance that has just spoken. */
const JUST_SPOKE: Quiet = {
  knownDays: 20,
  perDay: 600,
  quietMs: 0,
  paced: 0,
  usual: 0,
  unusual: 40,
  others: 0,
  closedMs: undefined,
};

const CASES: readonly (readonly [what: string, seen: Partial<Quiet>, verdict: string])[] = [
  ['has just spoken', {}, 'lively'],
  ['is quiet for as long as it often is', { quietMs: 20 * MINUTE_MS, paced: 39, usual: 39 }, 'lively'],
  ['is quiet for longer than it ever is', { quietMs: 20 * MINUTE_MS, paced: 41, usual: 41 }, 'fell-silent'],
  ['is new', { knownDays: 6.9, quietMs: 20 * MINUTE_MS, paced: 41, usual: 41 }, 'learning'],
  ['speaks so much that a minute is unusual', { quietMs: 2 * MINUTE_MS, paced: 41, usual: 41 }, 'lively'],
  ['was quiet before the shop opened', { quietMs: 14 * HOUR_MS, paced: 1, usual: 300 }, 'lively'],
  ['has a holiday', { quietMs: 30 * HOUR_MS, paced: 50, usual: 900 }, 'lively'],
  ['has said nothing for two usual days', { quietMs: 60 * HOUR_MS, paced: 50, usual: 1201 }, 'long-silent'],
  ['says nothing at night', { quietMs: 8 * HOUR_MS, paced: 5, usual: 5 }, 'lively'],
  ['sends presence, and no messages', { quietMs: 6 * HOUR_MS, usual: 300, others: 10 }, 'only-others'],
  ['sent some presence soon after', { quietMs: 6 * HOUR_MS, usual: 300, others: 9 }, 'lively'],
  ['is disconnected', { closedMs: 2 * MINUTE_MS }, 'closed'],
  ['is disconnected and new', { knownDays: 0, closedMs: 2 * MINUTE_MS }, 'closed'],
  ['changes networks', { closedMs: MINUTE_MS }, 'lively'],
];

describe('an instance that', () => {
  test.each(CASES)('%s', (_what, seen, expected) => {
    const verdict = verdictOf({ ...JUST_SPOKE, ...seen });
    expect(verdict.kind === 'silent' ? verdict.why : verdict.kind).toBe(expected);
  });
});
