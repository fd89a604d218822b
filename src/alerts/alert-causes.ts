import type { SilenceReason } from '../silence/verdict';

/** What an operator is alerted of; each has messages of its own. */
export const ALERT_CAUSES = [
  'destination-failing',
  'destination-suspended',
  'destination-recovered',
  'dead-letters',
  'backlog',
  'backlog-over',
  'instance-silent',
  'instance-back',
  'redis-at-risk',
  'redis-well',
  'audit-difference',
  'audit-even',
] as const;
export type AlertCause = (typeof ALERT_CAUSES)[number];

/** Something that is not as it should be, for as long as that lasts. Times are epoch milliseconds. */
export type Condition =
  | {
      readonly cause: 'destination-failing' | 'destination-suspended';
      /** Id of the destination. */
      readonly subject: string;
      readonly since: number;
      /** It answers, and rejects everything. */
      readonly state?: 'rejecting';
      readonly by?: 'gone' | 'time' | 'person';
      readonly code?: string;
      /** 0: there was no answer. */
      readonly status?: number;
      /** As it may be shown. */
      readonly address?: string;
    }
  | { readonly cause: 'backlog'; readonly subject: 'parked'; readonly since: number }
  | {
      readonly cause: 'instance-silent';
      /** Name of the instance. */
      readonly subject: string;
      readonly since: number;
      readonly why: SilenceReason;
    }
  | {
      readonly cause: 'redis-at-risk';
      /** What was checked. */
      readonly subject: string;
      readonly since: number;
      readonly detail: string;
    }
  | {
      readonly cause: 'audit-difference';
      /** Id of the destination. */
      readonly subject: string;
      readonly since: number;
      readonly difference: number;
    };

export type StandingCause = Condition['cause'];

/** What says that it is over. */
export const OVER = {
  'destination-suspended': 'destination-recovered',
  'destination-failing': 'destination-recovered',
  backlog: 'backlog-over',
  'instance-silent': 'instance-back',
  'redis-at-risk': 'redis-well',
  'audit-difference': 'audit-even',
} as const satisfies Readonly<Record<StandingCause, AlertCause>>;
export type OverCause = (typeof OVER)[StandingCause];

export const STANDING_CAUSES = Object.keys(OVER) as readonly StandingCause[];
export const OVER_CAUSES: readonly OverCause[] = [...new Set(Object.values(OVER))];

/** Dead letters that nobody was alerted of yet. */
export interface NewDeadLetters {
  readonly count: number;
  /** Of the latest hundred, by why they were given up. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Up to when they are counted. */
  readonly until: number;
}

/** Everything that is known at one moment. */
export interface Seen {
  readonly now: number;
  readonly conditions: readonly Condition[];
  /** What cannot be read at the moment: of these causes nothing is over. */
  readonly unread: ReadonlySet<StandingCause>;
  readonly deadLetters: NewDeadLetters;
}

/** Something that was alerted of and is over. */
export interface Ended {
  readonly subject: string;
  readonly since: number;
}

/** One message that is due. */
export type AlertMessage = {
  /** How many there are in all; no more than `MOST_NAMED` are named. */
  readonly total: number;
} & (
  | {
      readonly kind: 'began' | 'goes-on';
      readonly cause: StandingCause;
      readonly items: readonly Condition[];
    }
  | { readonly kind: 'over'; readonly cause: OverCause; readonly items: readonly Ended[] }
  | { readonly kind: 'counted'; readonly cause: 'dead-letters'; readonly letters: NewDeadLetters }
);

/** Subjects that a message names. */
export const MOST_NAMED = 10;
