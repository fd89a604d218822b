import { Metrics } from '../../../src/observability/metrics';
import { type GaugeParts, Gauges } from '../../../src/worker/gauges';
import { turns } from '../../support/signals/signals';

const INTERVAL_MS = 5000;

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

test('events that came while Redis was away are reported once it is back', async () => {
  let isAway = false;
  let received = 0;
  const reported: number[] = [];
  const away = (): Promise<never> => Promise.reject(new Error('away'));
  const parts = {
    metrics: new Metrics(),
    sources: { held: { messages: 0, bytes: 0 }, depths: async () => [] },
    attempts: { count: 0 },
    bulkheads: { circuitsOpen: 0 },
    health: { counts: { failing: 0, suspended: 0, rejecting: 0 } },
    store: { queue: { getJobCounts: away } },
    redis: { state: { ready: true } },
    inspectRedis: async () => [],
    audit: { difference: async () => undefined },
    flow: {
      report: async (count: number) => {
        if (!isAway) reported.push(count);
        return !isAway;
      },
    },
    takeReceived: () => {
      const count = received;
      received = 0;
      return count;
    },
  } as unknown as GaugeParts;
  const gauges = new Gauges(parts);
  gauges.start();
  const after = async (events: number): Promise<void> => {
    received += events;
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    await turns();
  };
  await after(3);
  isAway = true;
  await after(4);
  await after(5);
  isAway = false;
  await after(1);
  expect(reported).toEqual([3, 10]);
  await gauges.stop();
});
