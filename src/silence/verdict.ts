/** What is known of an instance at a moment. */
export interface Quiet {
  /** Days that were learned. */
  readonly knownDays: number;
  /** Messages of a usual day. */
  readonly perDay: number;
  /** Since the last message. */
  readonly quietMs: number;
  /** Messages that were to be expected since, at the usual pace or that of the hour before the last message, the slower. */
  readonly paced: number;
  /** Messages that are usual in such a time, whatever the pace was. */
  readonly usual: number;
  /**
   * How many messages are to be missing before a silence is none of the usual ones: those of this instance, which end with a
   * message, are so long less than once in a hundred weeks.
   */
  readonly unusual: number;
  /** Other events since the last message: presence, chats, contacts. */
  readonly others: number;
  /** `connection.update` said so last, this long ago; undefined where the connection is open, or nothing is known. */
  readonly closedMs: number | undefined;
}

export type Verdict =
  | { readonly kind: 'unwatched' | 'learning' | 'lively' }
  | { readonly kind: 'silent'; readonly why: SilenceReason };

/** See `verdictOf`. */
export type SilenceReason = (typeof REASONS)[number];

const REASONS = ['fell-silent', 'only-others', 'long-silent', 'closed'] as const;

export function isSilenceReason(text: string): text is SilenceReason {
  return REASONS.some((reason) => reason === text);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Before that, nobody knows what is usual. */
const LEAST_KNOWN_DAYS = 7;
/** A connection closes and opens again when a phone changes networks. */
const CLOSED_MS = 2 * MINUTE_MS;
/** Of an instance that was just lively. */
const LEAST_QUIET_MS = 8 * MINUTE_MS;
/** Later it is a day that did not begin: a holiday cannot be told from a failure then. */
const JUST_LIVELY_MS = 5 * HOUR_MS;
/** Other events go on, and a usual hour's messages and more are missing: people write, and nothing arrives. */
const LEAST_OTHERS = 10;
const BESIDE_OTHERS_MS = HOUR_MS;
/** Holidays and weekends are shorter. */
const MISSING_DAYS = 2;
const LONG_MS = 36 * HOUR_MS;

const LEARNING: Verdict = { kind: 'learning' };
const LIVELY: Verdict = { kind: 'lively' };

/**
 * | what is seen                                                              | verdict             |
 * |---------------------------------------------------------------------------|---------------------|
 * | the connection has been closed for a while                                | silent: closed      |
 * | less than a week known                                                   | learning            |
 * | lively within five hours; more is missing than in any usual silence        | silent: fell-silent |
 * | messages are missing for an hour while other events go on                 | silent: only-others |
 * | two usual days of messages are missing                                    | silent: long-silent |
 * | anything else                                                             | lively              |
 */
export function verdictOf(quiet: Quiet): Verdict {
  if ((quiet.closedMs ?? 0) >= CLOSED_MS) return { kind: 'silent', why: 'closed' };
  if (quiet.knownDays < LEAST_KNOWN_DAYS) return LEARNING;
  if (fellSilent(quiet)) return { kind: 'silent', why: 'fell-silent' };
  if (hasOnlyOthers(quiet)) return { kind: 'silent', why: 'only-others' };
  if (isLongSilent(quiet)) return { kind: 'silent', why: 'long-silent' };
  return LIVELY;
}

function fellSilent({ quietMs, paced, unusual }: Quiet): boolean {
  return quietMs >= LEAST_QUIET_MS && quietMs <= JUST_LIVELY_MS && paced > unusual;
}

function hasOnlyOthers({ quietMs, usual, unusual, others }: Quiet): boolean {
  return quietMs >= BESIDE_OTHERS_MS && others >= LEAST_OTHERS && usual > unusual;
}

function isLongSilent({ quietMs, usual, unusual, perDay }: Quiet): boolean {
  return quietMs > LONG_MS && usual > Math.max(unusual, perDay * MISSING_DAYS);
}
