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

describe('relay_event_lag_seconds (finding 3.18)', () => {
  test('is the whole time since published or received, hours included', async () => {
    expect(Math.round(Number(await lagOf(Date.now() - 5 * HOUR_MS)))).toBe(5 * 3600);
  });

  test('is never negative, and does not count what was parked', async () => {
    expect(await lagOf(Date.now() + HOUR_MS)).toBe('0');
    expect(await lagOf(undefined)).toBe('none');
  });
});
