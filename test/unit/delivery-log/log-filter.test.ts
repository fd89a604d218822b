import { matches } from '../../../src/delivery-log/log-filter';
import type { LogRecord } from '../../../src/delivery-log/log-record';

const recordOf = (chat: string): LogRecord => ({
  what: 'delivered',
  id: 'dlv_1',
  destination: 'webhook:global',
  instance: 'loja',
  event: 'messages.upsert',
  at: 1,
  attempt: 1,
  durationMs: 1,
  status: 200,
  code: '',
  answer: '',
  bytes: 1,
  message: '',
  chat,
  alias: '',
});

test.each([
  '5511@s.whatsapp.net',
  '5511:7@s.whatsapp.net',
  '5511@s.whatsapp.net@x',
  '5511',
  'ü@g.us',
  '5@a:b',
])('a record is found by the whole name of its chat: %s', (chat) => {
  expect(matches(recordOf(chat), { chat })).toBe(true);
});
