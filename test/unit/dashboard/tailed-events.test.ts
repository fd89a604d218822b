import { tailedEvents } from '../../../src/dashboard/tailed-events';
import type { LogRecord } from '../../../src/delivery-log/log-record';

const record = (event: number, key: string, more: Partial<LogRecord> = {}): LogRecord => ({
  ...{ what: 'delivered', id: `dlv_${String(event).padStart(22, '0')}${key}`, destination: `webhook:${key}` },
  ...{ instance: 'loja', event: 'call', message: 'M', chat: 'C', alias: '', at: event, attempt: 1 },
  ...{ durationMs: 1, status: 200, code: '', answer: '', bytes: 10 },
  ...more,
});

describe('events as they come', () => {
  test('stand there once, the newest first, with the last of each of their deliveries', () => {
    const records = [
      record(2, 'aaaaaaaa', { what: 'dead', message: '', chat: '', code: 'rejected' }),
      record(2, 'bbbbbbbb'),
      record(2, 'aaaaaaaa', { what: 'rejected' }),
      record(1, 'aaaaaaaa'),
    ];
    const events = tailedEvents(records, 10);
    expect(
      events.map(({ at, message, deliveries }) => [at, message, deliveries.map(({ what }) => what)]),
    ).toEqual([
      [2, 'M', ['dead', 'delivered']],
      [1, 'M', ['delivered']],
    ]);
  });

  test('are no more than so many, whatever comes', () => {
    const flood = Array.from({ length: 500 }, (_, index) => record(500 - index, 'aaaaaaaa'));
    expect(tailedEvents(flood, 100).map(({ at }) => at)).toEqual(
      Array.from({ length: 100 }, (_, index) => 500 - index),
    );
  });
});
