import type { AlertCause, Condition, Seen } from '../../../src/alerts/alert-causes';
import { afterSending, dueAlerts } from '../../../src/alerts/due-alerts';
import { MOST_STANDING, nothingTold, parseTold, type Told } from '../../../src/alerts/told-alerts';

const MINUTE_MS = 60_000;
const INTERVAL_MS = 15 * MINUTE_MS;
const NOW = Date.UTC(2026, 0, 5);
const NOBODY: ReadonlySet<AlertCause> = new Set();

function failing(
  subject: string,
  cause: 'destination-failing' | 'destination-suspended' = 'destination-failing',
): Condition {
  return { cause, subject, since: NOW - 2 * MINUTE_MS };
}

function silent(subject: string): Condition {
  return { cause: 'instance-silent', subject, since: NOW, why: 'closed' };
}

function seen(conditions: readonly Condition[], others: Partial<Seen> = {}): Seen {
  return {
    now: NOW,
    conditions,
    unread: new Set(),
    deadLetters: { count: 0, reasons: {}, until: NOW },
    ...others,
  };
}

const TWO_DEAD = { count: 2, reasons: { rejected: 2 }, until: NOW };

/** What was said: cause, minutes ago, how often it was repeated, subjects. */
function told(...said: readonly (readonly [Condition['cause'], number, number, readonly string[]])[]): Told {
  return {
    causes: Object.fromEntries(
      said.map(([cause, ago, reminders]) => [cause, { sentAt: NOW - ago * MINUTE_MS, reminders }]),
    ),
    standing: Object.fromEntries(
      said.map(([cause, , , subjects]) => [cause, Object.fromEntries(subjects.map((each) => [each, NOW]))]),
    ),
    deadUntil: NOW,
  };
}

type Case = readonly [what: string, seen: Seen, told: Told, due: readonly string[]];

const CASES: readonly Case[] = [
  ['all is well', seen([]), nothingTold(NOW), []],
  ['one fails', seen([failing('a')]), nothingTold(NOW), ['began destination-failing a']],
  [
    'many fail at once',
    seen([failing('a'), failing('b')]),
    nothingTold(NOW),
    ['began destination-failing a b'],
  ],
  [
    'another one fails within the interval',
    seen([failing('a'), failing('b')]),
    told(['destination-failing', 5, 0, ['a']]),
    [],
  ],
  [
    'another one fails after it',
    seen([failing('a'), failing('b')]),
    told(['destination-failing', 15, 0, ['a']]),
    ['began destination-failing b'],
  ],
  ['it goes on within the interval', seen([failing('a')]), told(['destination-failing', 14, 0, ['a']]), []],
  [
    'it goes on after an interval',
    seen([failing('a')]),
    told(['destination-failing', 15, 0, ['a']]),
    ['goes-on destination-failing a'],
  ],
  [
    'it was said again, an interval ago',
    seen([failing('a')]),
    told(['destination-failing', 15, 1, ['a']]),
    [],
  ],
  [
    'it was said again, two intervals ago',
    seen([failing('a')]),
    told(['destination-failing', 30, 1, ['a']]),
    ['goes-on destination-failing a'],
  ],
  [
    'it was said for days, and half a day ago',
    seen([failing('a')]),
    told(['destination-failing', 720, 40, ['a']]),
    [],
  ],
  [
    'it was said for days, and a day ago',
    seen([failing('a')]),
    told(['destination-failing', 1440, 40, ['a']]),
    ['goes-on destination-failing a'],
  ],
  ['it recovers', seen([]), told(['destination-failing', 1, 0, ['a']]), ['over destination-recovered a']],
  [
    'one recovers while another one fails',
    seen([failing('b')]),
    told(['destination-failing', 1, 0, ['a', 'b']]),
    ['over destination-recovered a'],
  ],
  [
    'one that fails is suspended',
    seen([failing('a', 'destination-suspended')]),
    told(['destination-failing', 1, 0, ['a']]),
    ['began destination-suspended a'],
  ],
  [
    'one that is suspended fails again',
    seen([failing('a')]),
    told(['destination-suspended', 1, 0, ['a']]),
    ['began destination-failing a'],
  ],
  [
    'two causes at once are two messages',
    seen([failing('a'), silent('loja')]),
    nothingTold(NOW),
    ['began destination-failing a', 'began instance-silent loja'],
  ],
  [
    'an instance speaks again',
    seen([]),
    told(['instance-silent', 1, 0, ['loja']]),
    ['over instance-back loja'],
  ],
  [
    'what cannot be read is not over',
    seen([], { unread: new Set(['instance-silent']) }),
    told(['instance-silent', 1, 0, ['loja']]),
    [],
  ],
  [
    'there are new dead letters',
    seen([], { deadLetters: TWO_DEAD }),
    nothingTold(NOW),
    ['counted dead-letters 2'],
  ],
  [
    'the clock was set back',
    seen([failing('b')]),
    told(['destination-failing', -600, 0, []]),
    ['began destination-failing b'],
  ],
];

describe('what is sent when', () => {
  test.each(CASES)('%s', (_what, now, before, due) => {
    const messages = dueAlerts(now, before, { intervalMs: INTERVAL_MS, busy: NOBODY });
    const shown = messages.map((message) =>
      message.kind === 'counted'
        ? `counted ${message.cause} ${message.total}`
        : `${message.kind} ${message.cause} ${message.items.map(({ subject }) => subject).join(' ')}`,
    );
    expect(shown).toEqual(due);
  });

  test('a message of that cause is under way: nothing of it, all of the others', () => {
    const now = seen([failing('a'), silent('loja')]);
    const options = { intervalMs: INTERVAL_MS, busy: new Set<AlertCause>(['destination-failing']) };
    expect(dueAlerts(now, nothingTold(NOW), options)).toMatchObject([{ cause: 'instance-silent' }]);
  });
});

describe('what was sent', () => {
  /** Follows what is seen, step by step, as if each message arrived at once. */
  function follow(steps: readonly Seen[], before = nothingTold(NOW)): readonly (readonly string[])[] {
    let now = before;
    return steps.map((step) => {
      const due = dueAlerts(step, now, { intervalMs: INTERVAL_MS, busy: NOBODY });
      for (const message of due) now = afterSending(now, message, step.now);
      // As it comes back from Redis.
      now = parseTold(JSON.stringify(now)) ?? nothingTold(0);
      return due.map(({ kind, cause }) => `${kind} ${cause}`);
    });
  }
  const at = (minutes: number, ...conditions: Condition[]): Seen =>
    seen(conditions, { now: NOW + minutes * MINUTE_MS });

  test('is said once, repeated less and less often, and ended once', () => {
    const steps = [0, 1, 15, 16, 45, 105].map((minutes) => at(minutes, failing('a')));
    expect(follow([...steps, at(106), at(107)])).toEqual([
      ['began destination-failing'],
      [],
      ['goes-on destination-failing'],
      [],
      ['goes-on destination-failing'],
      ['goes-on destination-failing'],
      ['over destination-recovered'],
      [],
    ]);
  });

  test('of what flaps, one message of each cause an interval', () => {
    const minutes = Array.from({ length: 30 }, (_, minute) =>
      at(minute, ...(minute % 2 === 0 ? [failing('a')] : [])),
    );
    expect(follow(minutes).flat()).toEqual([
      'began destination-failing',
      'over destination-recovered',
      'began destination-failing',
      'over destination-recovered',
    ]);
  });

  test('of dead letters, those since are counted from the time of the last count', () => {
    const [message] = dueAlerts(seen([], { deadLetters: TWO_DEAD }), nothingTold(0), {
      intervalMs: INTERVAL_MS,
      busy: NOBODY,
    });
    if (message === undefined) throw new Error('nothing is due');
    expect(afterSending(nothingTold(0), message, NOW)).toMatchObject({ deadUntil: NOW });
  });

  test('takes a bounded place, however many there are: the number is told', () => {
    const many = Array.from({ length: 5000 }, (_, index) => failing(`webhook:instance/${index}`));
    const steps = [0, 15, 16].map((minutes) => at(minutes, ...many));
    expect(follow(steps)).toEqual([['began destination-failing'], ['goes-on destination-failing'], []]);
    let now = nothingTold(NOW);
    for (const message of dueAlerts(seen(many), now, { intervalMs: INTERVAL_MS, busy: NOBODY }))
      now = afterSending(now, message, NOW);
    expect(Object.keys(now.standing['destination-failing'] ?? {})).toHaveLength(MOST_STANDING);
  });
});

test.each(['', '{', '[]', 'null', '{"deadUntil":"now"}'])(
  '%j in Redis is no record of what was said',
  (text) => {
    expect(parseTold(text)).toBeUndefined();
  },
);

test('what somebody else wrote into that record is left out', () => {
  const text =
    '{"deadUntil":5,"causes":{"backlog":{"sentAt":"x"},"colour":{}},"standing":{"backlog":{"a":"b","c":1},"x":{"y":1}}}';
  expect(parseTold(text)).toEqual({ deadUntil: 5, causes: {}, standing: { backlog: { c: 1 } } });
});
