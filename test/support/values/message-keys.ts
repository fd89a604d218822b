import type { LogRecord } from '../../../src/delivery-log/log-record';
import type { NewRecord } from '../../../src/delivery-log/log-segment';
import { MessageKey } from '../../../src/delivery-log/message-key';

type Words = Pick<LogRecord, 'message' | 'chat' | 'alias'>;

/** As it is found in an event that has these words. */
export function messageKeyWith({ message, chat, alias }: Words): MessageKey {
  const parts = [message, chat, alias].map((word) => Buffer.from(JSON.stringify(word)));
  const key = new MessageKey(Buffer.concat(parts));
  const [first = 0, second = 0, third = 0] = parts.map(({ length }) => length);
  if (message !== '') [key.messageStart, key.messageEnd] = [1, first - 1];
  if (chat !== '') [key.chatStart, key.chatEnd] = [first + 1, first + second - 1];
  if (alias !== '') [key.aliasStart, key.aliasEnd] = [first + second + 1, first + second + third - 1];
  return key;
}

/** What is noted, for a record that is to be read. */
export function newRecordOf({ message, chat, alias, ...entry }: LogRecord): NewRecord {
  return { entry, key: messageKeyWith({ message, chat, alias }), isFirst: true, body: undefined };
}
