import {
  type AlertCause,
  type AlertMessage,
  type Condition,
  type Ended,
  MOST_NAMED,
  OVER,
  OVER_CAUSES,
  type OverCause,
  type Seen,
  STANDING_CAUSES,
  type StandingCause,
} from './alert-causes';
import { MOST_STANDING, type Told } from './told-alerts';

const DAY_MS = 86_400_000;

/**
 * What is to be said now.
 *
 * | what is seen                                   | last message of that cause          | what is sent               |
 * |------------------------------------------------|-------------------------------------|----------------------------|
 * | subjects that nobody was alerted of            | none, or an interval ago            | one message: began         |
 * | the same                                       | within the interval                 | nothing yet                |
 * | only subjects that were alerted of             | 1, 2, 4, … intervals or a day ago   | one message: goes on       |
 * | alerted of, and there no more                  | none, or an interval ago            | one message: over          |
 * | began and ended between two messages           | any                                 | nothing                    |
 * | another cause of the same kind (now suspended) | any                                 | nothing of it being over   |
 * | new dead letters                               | none, or an interval ago            | one message with the count |
 *
 * @param busy causes of which a message is under way
 */
export function dueAlerts(
  seen: Seen,
  told: Told,
  { intervalMs, busy }: { readonly intervalMs: number; readonly busy: ReadonlySet<AlertCause> },
): AlertMessage[] {
  const isOpen = (cause: AlertCause): boolean => {
    const pastMs = seen.now - (told.causes[cause]?.sentAt ?? 0);
    // A clock that was set back is to silence nothing.
    return !busy.has(cause) && (pastMs >= intervalMs || pastMs < 0);
  };
  return [
    ...STANDING_CAUSES.flatMap((cause) => (isOpen(cause) ? standing(cause, seen, told, intervalMs) : [])),
    ...OVER_CAUSES.flatMap((cause) => (isOpen(cause) ? over(cause, seen, told) : [])),
    ...(isOpen('dead-letters') ? counted(seen) : []),
  ];
}

function standing(cause: StandingCause, seen: Seen, told: Told, intervalMs: number): AlertMessage[] {
  const now = seen.conditions.filter((condition) => condition.cause === cause);
  const known = told.standing[cause] ?? {};
  const isFull = Object.keys(known).length >= MOST_STANDING;
  const began = isFull ? [] : now.filter(({ subject }) => !Object.hasOwn(known, subject));
  const { sentAt = 0, reminders = 0 } = told.causes[cause] ?? {};
  if (began.length > 0) return [{ kind: 'began', cause, items: began, total: began.length }];
  const pauseMs = Math.max(intervalMs, Math.min(intervalMs * 2 ** reminders, DAY_MS));
  if (now.length === 0 || seen.now - sentAt < pauseMs) return [];
  return [{ kind: 'goes-on', cause, items: now, total: now.length }];
}

function over(cause: OverCause, seen: Seen, told: Told): AlertMessage[] {
  const items = endedOf(cause, seen, told);
  return items.length === 0 ? [] : [{ kind: 'over', cause, items, total: items.length }];
}

function endedOf(cause: OverCause, seen: Seen, told: Told): Ended[] {
  const kinds = STANDING_CAUSES.filter((each) => OVER[each] === cause);
  if (kinds.some((each) => seen.unread.has(each))) return [];
  const there = new Set(
    seen.conditions.filter((each) => OVER[each.cause] === cause).map(({ subject }) => subject),
  );
  const ended = new Map<string, number>();
  for (const kind of kinds) {
    for (const [subject, since] of Object.entries(told.standing[kind] ?? {}))
      if (!there.has(subject)) ended.set(subject, Math.min(since, ended.get(subject) ?? since));
  }
  return [...ended].map(([subject, since]) => ({ subject, since }));
}

function counted({ deadLetters: letters }: Seen): AlertMessage[] {
  const { count } = letters;
  return count === 0 ? [] : [{ kind: 'counted', cause: 'dead-letters', letters, total: count }];
}

/** What was said once a message has arrived. */
export function afterSending(told: Told, message: AlertMessage, now: number): Told {
  const { cause, kind } = message;
  const reminders = kind === 'goes-on' ? (told.causes[cause]?.reminders ?? 0) + 1 : 0;
  const next = { ...told, causes: { ...told.causes, [cause]: { sentAt: now, reminders } } };
  switch (kind) {
    case 'began':
      return { ...next, standing: withBegun(told, message.cause, message.items) };
    case 'over':
      return { ...next, standing: withoutEnded(told, message.cause, message.items) };
    case 'counted':
      return { ...next, deadUntil: message.letters.until };
    case 'goes-on':
      return next;
  }
}

/** A destination that is suspended now is no longer one that only fails, and the other way round. */
function withBegun(told: Told, cause: StandingCause, items: readonly Condition[]): Told['standing'] {
  const moved = new Set(items.map(({ subject }) => subject));
  const left = without(told, OVER[cause], moved);
  const before = Object.entries(told.standing[cause] ?? {}).filter(([subject]) => !moved.has(subject));
  const begun = items.map(({ subject, since }) => [subject, since] as const);
  return { ...left, [cause]: Object.fromEntries([...before, ...begun].slice(0, MOST_STANDING)) };
}

function withoutEnded(told: Told, cause: OverCause, items: readonly Ended[]): Told['standing'] {
  return without(told, cause, new Set(items.map(({ subject }) => subject)));
}

function without(told: Told, over: OverCause, gone: ReadonlySet<string>): Told['standing'] {
  return Object.fromEntries(
    STANDING_CAUSES.flatMap((cause) => {
      const all = Object.entries(told.standing[cause] ?? {});
      const left = OVER[cause] === over ? all.filter(([subject]) => !gone.has(subject)) : all;
      return left.length === 0 ? [] : [[cause, Object.fromEntries(left)]];
    }),
  );
}

/** What a message names of what it is about. */
export function named<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, MOST_NAMED);
}
