import fc from 'fast-check';
import { Counter, Histogram, Registry } from 'prom-client';
import { Durations } from '../../../src/observability/durations';
import { Metrics } from '../../../src/observability/metrics';
import { Tally } from '../../../src/observability/tally';

const name = 'relay_attempt_duration_seconds';
const help = 'Duration of attempts';
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

describe('counting on the hot path', () => {
  test('durations read as the histogram of the library does', async () => {
    const observations = fc.array(
      fc.tuple(
        fc.constantFrom('webhook', 'pusher'),
        fc.oneof(
          fc.constantFrom(...buckets),
          fc.integer({ min: 0, max: 40_000 }).map((ms) => ms / 1000),
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(observations, async (observed) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const durations = new Durations(name, help, ours);
        const histogram = new Histogram({
          name,
          help,
          labelNames: ['destination'],
          buckets,
          registers: [theirs],
        });
        for (const [destination, seconds] of observed) {
          durations.add(destination, seconds);
          histogram.observe({ destination }, seconds);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
    );
  });

  test('a tally reads as the counter of the library does, however often it is read', async () => {
    const labelNames = ['source', 'event'] as const;
    const value = fc.constantFrom('a', 'b', 'a\nb', '');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.tuple(value, value))), async (rounds) => {
        const counters = ['ours', 'theirs'].map(
          () => new Counter({ name: 'events_total', help, labelNames, registers: [] }),
        );
        const [ours, theirs] = counters as [Counter<'source' | 'event'>, Counter<'source' | 'event'>];
        const tally = new Tally([ours], labelNames);
        for (const round of rounds) {
          for (const [source, event] of round) {
            tally.add(source, event);
            theirs.inc({ source, event });
          }
          tally.carryOver();
        }
        const sorted = async (counter: Counter<'source' | 'event'>) =>
          (await counter.get()).values.map((each) => JSON.stringify(each)).sort();
        expect(await sorted(ours)).toEqual(await sorted(theirs));
      }),
    );
  });

  test('what a source hands over is counted by its name and by its older one, whichever is read first', async () => {
    const metrics = new Metrics();
    metrics.eventsReceived.add('sqs', 'call');
    for (const name of ['relay_events_accepted_total', 'relay_events_received_total'])
      expect(await metrics.registry.getSingleMetricAsString(name)).toContain(
        `${name}{source="sqs",event="call"} 1`,
      );
  });
});
