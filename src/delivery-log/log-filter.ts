import { filterKey, findKey } from '../events/catalogue';
import { meantNumbers, numbersOf } from '../events/phone-number';
import { chatFingerprint, chatUser, fingerprint } from './fingerprint';
import type { Column } from './log-columns';
import type { LogRecord } from './log-record';

/** What became of a delivery. `unknown`: it is stored no more, and its end was not logged, or not yet. */
export const OUTCOMES = ['delivered', 'parked', 'dead', 'discarded', 'unknown'] as const;
export type LoggedOutcome = (typeof OUTCOMES)[number];

/** Times are epoch milliseconds, inclusive. */
export interface LogFilter {
  /** Of one delivery. */
  readonly id?: string;
  /** Id of a WhatsApp message. */
  readonly message?: string;
  /** A phone number, however it is written, or the chat's whole name. */
  readonly chat?: string;
  readonly instance?: string;
  readonly event?: string;
  readonly destination?: string;
  readonly outcome?: LoggedOutcome;
  /** An error code, or why it was parked, given up on or discarded. */
  readonly reason?: string;
  readonly since?: number;
  readonly until?: number;
}

/** One of these columns must have one of these values. */
export interface Clue {
  readonly columns: readonly Column[];
  readonly values: readonly number[];
}

/** What the columns say of records that may match; time and outcome aside. */
export function cluesOf({ id, message, chat, instance, event, destination }: LogFilter): Clue[] {
  const clue = (columns: readonly Column[], value: number | undefined): Clue[] =>
    value === undefined ? [] : [{ columns, values: [value] }];
  const print = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : fingerprint(text);
  return [
    ...clue(['delivery'], print(id)),
    ...clue(['message'], print(message)),
    ...(chat === undefined
      ? []
      : [{ columns: ['chat', 'alias'], values: printsOf(chatNames(chat)) } as const]),
    ...clue(['instance'], print(instance)),
    ...clue(['event'], event === undefined ? undefined : fingerprint(wantedKey(event))),
    ...clue(['destination'], print(destination)),
  ];
}

/** Whether a record is one of those looked for; the outcome is the delivery's, which one record does not know. */
export function matches(record: LogRecord, filter: LogFilter): boolean {
  const { id, message, chat, instance, event, destination, reason, since, until } = filter;
  return (
    (id === undefined || record.id === id) &&
    (message === undefined || record.message === message) &&
    (chat === undefined ||
      chatNames(chat).some((name) => isChat(record.chat, name) || isChat(record.alias, name))) &&
    (instance === undefined || record.instance === instance) &&
    (event === undefined || filterKey(record.event) === wantedKey(event)) &&
    (destination === undefined || record.destination === destination) &&
    (reason === undefined || record.code === reason) &&
    (since === undefined || record.at >= since) &&
    (until === undefined || record.at <= until)
  );
}

const PERSON = /^(\d+)(?::\d+)?@(?:s\.whatsapp\.net|c\.us)$/;

/** The chat as it was written, and the other names that WhatsApp may know it by. */
function chatNames(wanted: string): readonly string[] {
  const numbers = meantNumbers(wanted);
  if (numbers !== undefined) return numbers;
  const [, person] = PERSON.exec(wanted) ?? [];
  return person === undefined
    ? [wanted]
    : [wanted, ...numbersOf(person).map((number) => `${number}@s.whatsapp.net`)];
}

function printsOf(names: readonly string[]): number[] {
  return [...new Set(names.map(chatFingerprint))];
}

function isChat(chat: string, wanted: string): boolean {
  if (chat === '' || chatUser(chat) !== chatUser(wanted)) return false;
  if (chat === wanted) return true;
  const [, domain] = wanted.split('@', 2);
  return domain === undefined || chat.endsWith(`@${domain}`);
}

/** Filters take `messages.upsert` and `MESSAGES_UPSERT` alike. */
function wantedKey(event: string): string {
  return findKey(event)?.key ?? filterKey(event);
}
