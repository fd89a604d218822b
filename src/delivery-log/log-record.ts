/**
 * What a record of the log says of a delivery: how an attempt ended, that it was stored without an attempt, or that it was
 * given up on. Their places in this list are stored: a new one is added at the end.
 */
export const HAPPENINGS = [
  'delivered',
  'failed',
  'rejected',
  'interrupted',
  'discarded',
  'parked',
  'dead',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** One thing that happened to one delivery, without the message and the chat that its event is about. */
export interface LogEntry {
  readonly what: Happening;
  /** Of the delivery; of the event where no destination wanted it. */
  readonly id: string;
  /** Empty where no destination wanted the event. */
  readonly destination: string;
  readonly instance: string;
  readonly event: string;
  /** When it began, epoch milliseconds. */
  readonly at: number;
  /** 0 where no attempt was made. */
  readonly attempt: number;
  readonly durationMs: number;
  /** 0: there was no answer. */
  readonly status: number;
  /** Error code of an attempt; why it was parked, given up on or discarded. */
  readonly code: string;
  /** Its first characters. */
  readonly answer: string;
  /** Of the event's body. */
  readonly bytes: number;
}

/** As it is read. */
export interface LogRecord extends LogEntry {
  readonly message: string;
  readonly chat: string;
  readonly alias: string;
}

/** When it was over. */
export function endOf({ at, durationMs }: LogRecord): number {
  return at + durationMs;
}

/** Characters of an answer that are kept. */
export const ANSWER_LENGTH = 256;
