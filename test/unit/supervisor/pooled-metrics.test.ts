import { Registry } from 'prom-client';
import { Metrics } from '../../../src/observability/metrics';
import type { MetricJson } from '../../../src/supervisor/messages';
import { PooledMetrics } from '../../../src/supervisor/pooled-metrics';

/** As it comes over the connection between two processes. */
async function reportOf({ registry }: Metrics): Promise<MetricJson[]> {
  return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON())) as MetricJson[];
}

const lineOf = (text: string, name: string): string | undefined =>
  text.split('\n').find((line) => line.startsWith(name));

describe('metrics of several workers', () => {
  it('what each counts is added up, what all read from the same place is not', async () => {
    const workers = [new Metrics(), new Metrics(), new Metrics()];
    for (const metrics of workers) {
      metrics.deliveries.addMany(5, 'webhook', 'MESSAGES_UPSERT', 'delivered');
      metrics.attemptDuration.add('webhook', 0.2);
      metrics.inFlight.set({ what: 'attempts' }, 4);
      metrics.queueDepth.set({ queue: 'q' }, 70);
      metrics.retryDepth.set({ queue: 'r', state: 'wait' }, 9);
      metrics.deadLetterDepth.set(3);
    }
    const pooled = new PooledMetrics(new Registry(), () => Promise.all(workers.map(reportOf)));
    const text = await pooled.metrics();
    expect(lineOf(text, 'relay_deliveries_total{')).toMatch(/ 15$/);
    expect(lineOf(text, 'relay_attempt_duration_seconds_count{destination="webhook"}')).toMatch(/ 3$/);
    expect(lineOf(text, 'relay_attempt_duration_seconds_bucket{le="0.25",destination="webhook"}')).toMatch(
      / 3$/,
    );
    expect(lineOf(text, 'relay_in_flight{what="attempts"}')).toMatch(/ 12$/);
    expect(lineOf(text, 'relay_source_queue_depth{queue="q"}')).toMatch(/ 70$/);
    expect(lineOf(text, 'relay_retry_queue_depth{queue="r",state="wait"}')).toMatch(/ 9$/);
    expect(lineOf(text, 'relay_dead_letter_depth')).toMatch(/ 3$/);
  });

  it('has every metric of one worker under its name, and each once', async () => {
    const one = new Metrics();
    const pooled = new PooledMetrics(new Registry(), async () => [await reportOf(one), await reportOf(one)]);
    const names = (text: string): string[] =>
      [...text.matchAll(/^# TYPE (\S+)/gm)]
        .map(([, name = '']) => name)
        .filter((name) => name !== 'process_start_time_seconds');
    const single = names(await one.registry.metrics()).sort();
    expect(names(await pooled.metrics()).sort()).toEqual(single);
  });

  it('what a worker counted stays when it is gone; what it held does not', async () => {
    const gone = new Metrics();
    gone.deliveries.addMany(7, 'webhook', 'CALL', 'delivered');
    gone.inFlightBytes.set(1000);
    const next = new Metrics();
    next.deliveries.addMany(1, 'webhook', 'CALL', 'delivered');
    const pooled = new PooledMetrics(new Registry(), async () => [await reportOf(next)]);
    await pooled.depart(await reportOf(gone));
    await pooled.depart(await reportOf(gone));
    const text = await pooled.metrics();
    expect(lineOf(text, 'relay_deliveries_total{')).toMatch(/ 15$/);
    expect(lineOf(text, 'relay_in_flight_bytes')).toMatch(/ 0$/);
  });
});
