import { chatFingerprint } from '../../../src/delivery-log/fingerprint';
import { cluesOf, matches } from '../../../src/delivery-log/log-filter';
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

describe('a person is found under the other number that WhatsApp knows, too', () => {
  const LOGGED = '553188887777@s.whatsapp.net';

  test.each([
    '+55 31 98888-7777',
    '31 98888-7777',
    '0055 31 8888 7777',
    '5531988887777@s.whatsapp.net',
    '5531988887777:12@c.us',
    '553188887777@c.us',
  ])('%s', (chat) => {
    expect(matches(recordOf(LOGGED), { chat })).toBe(true);
    const prints = cluesOf({ chat }).flatMap(({ values }) => values);
    expect(prints).toContain(chatFingerprint(LOGGED));
  });

  test.each(['+55 31 98888-7778', '+31 98888-7777', '553188887777@lid', '553188887777@g.us'])(
    'and nobody else: %s',
    (chat) => {
      expect(matches(recordOf(LOGGED), { chat })).toBe(false);
    },
  );
});
