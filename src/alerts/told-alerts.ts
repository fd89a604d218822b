import { ALERT_CAUSES, type AlertCause, STANDING_CAUSES, type StandingCause } from './alert-causes';

/** What was said of one cause. */
export interface ToldOf {
  /** When its last message was sent; 0: none was. */
  readonly sentAt: number;
  /** How often it was said since then that it goes on. */
  readonly reminders: number;
}

/** What was said so far: all that is remembered of alerts, in one document of a bounded size. */
export interface Told {
  readonly causes: Readonly<Partial<Record<AlertCause, ToldOf>>>;
  /** Subjects that were alerted of and are not over yet, each with since when it is so. */
  readonly standing: Readonly<Partial<Record<StandingCause, Readonly<Record<string, number>>>>>;
  /** Dead letters up to then were alerted of, or were there before alerts were. */
  readonly deadUntil: number;
}

/** Subjects of one cause that are remembered: beyond them only the number is told. */
export const MOST_STANDING = 500;

/** Nothing was said yet. */
export function nothingTold(now: number): Told {
  return { causes: {}, standing: {}, deadUntil: now };
}

/** Undefined for what is no such document: anybody may have written to Redis. */
export function parseTold(text: string): Told | undefined {
  const value = recordOf(parsed(text));
  const { deadUntil } = value;
  if (typeof deadUntil !== 'number') return undefined;
  const [causes, standing] = [recordOf(value['causes']), recordOf(value['standing'])];
  return {
    causes: Object.fromEntries(
      ALERT_CAUSES.flatMap((cause) => {
        const { sentAt, reminders } = recordOf(causes[cause]);
        return typeof sentAt === 'number' && typeof reminders === 'number'
          ? [[cause, { sentAt, reminders }]]
          : [];
      }),
    ),
    standing: Object.fromEntries(
      STANDING_CAUSES.flatMap((cause) => {
        const subjects = Object.entries(recordOf(standing[cause])).filter(
          ([, since]) => typeof since === 'number',
        );
        return subjects.length === 0 ? [] : [[cause, Object.fromEntries(subjects.slice(0, MOST_STANDING))]];
      }),
    ),
    deadUntil,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
