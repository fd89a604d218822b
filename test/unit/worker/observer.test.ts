import { MalformedEventError } from '../../../src/errors';
import { parseEnvelope } from '../../../src/events/envelope';
import { SILENT } from '../../../src/observability/logging';
import { Metrics } from '../../../src/observability/metrics';
import type { AttemptRecord, Delivery, DeliveryId, DestinationId } from '../../../src/pipeline/delivery';
import { Observer } from '../../../src/worker/observer';

const HOUR_MS = 3_600_000;
const body = Buffer.from(
  // Local time with a wrong `Z`, as the core API writes it.
  JSON.stringify({ event: 'call', instance: 'a', data: {}, date_time: '2020-01-01T00:07:00.000Z' }),
);

/** Sum of the lags that an event delivered now counts with. */
async function lagOf(since: number | undefined): Promise<string> {
  const metrics = new Metrics();
  const envelope = parseEnvelope(body, { routingKey: 'call' }, since);
  const delivery = { envelope, destination: { kind: 'webhook' } } as unknown as Delivery;
  const record: AttemptRecord = { attempt: 1, at: 0, durationMs: 1, outcome: { kind: 'delivered' } };
  new Observer(metrics, SILENT, () => {}).attemptEnded(delivery, record);
  const text = await metrics.registry.getSingleMetricAsString('relay_event_lag_seconds');
  return /_sum\{[^}]*\} ([\d.]+)/.exec(text)?.[1] ?? 'none';
}

test('a destination that is removed is one line for all that was parked for it (finding 7.3)', () => {
  jest.useFakeTimers();
  try {
    const lines: [string, object | undefined][] = [];
    const observer = new Observer(
      new Metrics(),
      {
        ...SILENT,
        warn: (line, fields) => lines.push([line, fields]),
      },
      () => {},
    );
    const labels = { destination: 'webhook:instance/loja' as DestinationId, event: 'call', instance: 'loja' };
    for (let index = 0; index < 2000; index++)
      observer.deadLettered(`dlv_${index}` as DeliveryId, labels, 'destination-removed');
    jest.runAllTimers();
    expect(lines).toEqual([
      [expect.stringContaining('removed'), { destination: labels.destination, count: 2000 }],
    ]);
  } finally {
    jest.useRealTimers();
  }
});

test('dead letters of a destination that refuses all are one line at once, with what it answered, and one a minute (finding 7.3)', () => {
  jest.useFakeTimers();
  try {
    const lines: [string, object | undefined][] = [];
    const log = { ...SILENT, warn: (line: string, fields?: object) => void lines.push([line, fields]) };
    const observer = new Observer(new Metrics(), log, () => {});
    const labels = { destination: 'webhook:instance/loja' as DestinationId, event: 'call', instance: 'loja' };
    const endpoint = () => ({ shown: 'https://gone.example', print: '' });
    const destination = { id: labels.destination, kind: 'webhook', endpoint };
    const delivery = {
      envelope: parseEnvelope(body, { routingKey: 'call' }),
      destination,
    } as unknown as Delivery;
    const outcome = { kind: 'rejected', code: 'HTTP_404', status: 404 } as const;
    for (let index = 0; index < 2000; index++) {
      observer.attemptEnded(delivery, { attempt: 1, at: 0, durationMs: 1, outcome });
      observer.deadLettered(`dlv_${index}` as DeliveryId, labels, 'rejected');
    }
    const failure = { code: 'HTTP_404', status: 404, address: 'https://gone.example' };
    expect(lines).toEqual([['dead letter', { id: 'dlv_0', ...labels, reason: 'rejected', ...failure }]]);
    jest.advanceTimersByTime(60_000);
    const { destination: name } = labels;
    expect(lines.slice(1)).toEqual([
      ['dead letters, in one minute', { destination: name, reason: 'rejected', count: 1999, ...failure }],
    ]);
    // One that comes after a quiet minute is said at once again.
    jest.advanceTimersByTime(60_000);
    observer.deadLettered('dlv_x' as DeliveryId, labels, 'rejected');
    expect(lines.slice(2)).toEqual([['dead letter', expect.objectContaining({ id: 'dlv_x' })]]);
  } finally {
    jest.useRealTimers();
  }
});

test('lines of malformed messages are paced by their error', () => {
  jest.useFakeTimers();
  try {
    const lines: string[] = [];
    const log = { ...SILENT, warn: (line: string) => void lines.push(line) };
    const observer = new Observer(new Metrics(), log, () => {});
    for (const code of ['BODY_EMPTY', 'BODY_EMPTY', 'BODY_NOT_JSON'] as const)
      observer.malformed('rabbitmq', new MalformedEventError(code, 'wrong'));
    expect(lines).toHaveLength(2);
    jest.advanceTimersByTime(60_000);
    expect(lines).toHaveLength(3);
  } finally {
    jest.useRealTimers();
  }
});

describe('relay_event_lag_seconds (finding 3.18)', () => {
  test('is the whole time since published or received, hours included', async () => {
    expect(Math.round(Number(await lagOf(Date.now() - 5 * HOUR_MS)))).toBe(5 * 3600);
  });

  test('is never negative, and does not count what was parked', async () => {
    expect(await lagOf(Date.now() + HOUR_MS)).toBe('0');
    expect(await lagOf(undefined)).toBe('none');
  });
});
