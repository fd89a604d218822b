import type { Noted } from '../../../src/delivery-log/log-notes';
import type { LogRecord } from '../../../src/delivery-log/log-record';
import type { NewRecord } from '../../../src/delivery-log/log-segment';
import { MessageKey } from '../../../src/delivery-log/message-key';

type Words = Pick<LogRecord, 'message' | 'chat' | 'alias'>;

/** As it is found in an event that has these words. */
function messageKeyWith({ message, chat, alias }: Words): MessageKey {
  const parts = [message, chat, alias].map((word) => Buffer.from(JSON.stringify(word)));
  const [first = 0, second = 0, third = 0] = parts.map(({ length }) => length);
  const placeOf = (word: string, before: number, length: number): [start: number, end: number] =>
    word === '' ? [0, 0] : [before + 1, before + length - 1];
  const [messageStart, messageEnd] = placeOf(message, 0, first);
  const [chatStart, chatEnd] = placeOf(chat, first, second);
  const [aliasStart, aliasEnd] = placeOf(alias, first + second, third);
  const places = { messageStart, messageEnd, chatStart, chatEnd, aliasStart, aliasEnd };
  return new MessageKey(Buffer.concat(parts), places);
}

/** What is noted of it. */
export function notedOf(record: LogRecord): Noted {
  return { bytes: record.bytes, record: () => newRecordOf(record) };
}

/** What is noted, for a record that is to be read. */
export function newRecordOf({ message, chat, alias, ...entry }: LogRecord): NewRecord {
  return { entry, key: messageKeyWith({ message, chat, alias }), isFirst: true, body: undefined };
}
