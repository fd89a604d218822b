import { setTimeout as delay } from 'node:timers/promises';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { Autoscaler } from '../support/scaling/autoscaler';
import { answering } from '../support/servers/receiver';

jest.setTimeout(300_000);

/** A receiver takes this long whatever comes, and a worker has so many requests at once: its pace is that and nothing else. */
const LATENCY_MS = 20;
const AT_ONCE = 2;
const WORKER = {
  DELIVERY_CONCURRENCY: String(AT_ONCE),
  DELIVERY_CONCURRENCY_PER_DESTINATION: String(AT_ONCE),
  RABBITMQ_PREFETCH: '20',
  LOG_LEVEL: 'warn',
};
const LOOK_MS = 250;

let scenario: Scenario;
beforeEach(async () => {
  scenario = await Scenario.start({ env: WORKER });
  scenario.receiver.behaviour = answering(200, LATENCY_MS);
});
afterEach(() => scenario.close());

test('four workers behind one queue and one Redis use four times the places of one, all of them', async () => {
  await scenario.startWorker();
  await scenario.publish(200);
  await scenario.untilAllAccepted();
  expect(scenario.receiver.peakOpen).toBe(AT_ONCE);
  for (let count = 1; count < 4; count++) await scenario.startWorker();
  await scenario.publish(1200);
  await scenario.untilAllAccepted();
  expect(scenario.receiver.peakOpen).toBe(4 * AT_ONCE);
  const { duplicates } = await scenario.conclude('one to four workers');
  expect(duplicates).toBe(0);
});

test('a surge of 5,000 events, scaled out by depth and in during flight: lost 0, duplicated 0', async () => {
  const scaler = new Autoscaler({ target: 500, min: 1, max: 4, cooldownMs: 1000 });
  const running: RelayProcess[] = [await scenario.startWorker()];
  const sizes = new Set<number>();
  const ending: Promise<unknown>[] = [];
  await scenario.publish(5000);
  const begunAt = performance.now();
  while (scenario.receiver.distinct < 5000) {
    const wanted = scaler.decide(await scenario.queueLength(), performance.now());
    const missing = Array.from({ length: Math.max(0, wanted - running.length) });
    running.push(...(await Promise.all(missing.map(() => scenario.startWorker()))));
    if (running.length > wanted) {
      // In flight: what it holds is delivered by it or by another one.
      const last = running.pop();
      last?.signal('SIGTERM');
      ending.push(last?.ended(60_000) ?? Promise.resolve());
    }
    sizes.add(running.length);
    if (performance.now() - begunAt > 240_000)
      throw new Error(`${scenario.receiver.distinct} of 5000 arrived`);
    await delay(LOOK_MS);
  }
  process.stdout.write(
    `scaling: 5000 events drained in ${((performance.now() - begunAt) / 1000).toFixed(1)} s\n`,
  );
  expect(await Promise.all(ending)).toEqual(ending.map(() => ({ code: 0, signal: null })));
  expect(sizes.has(4)).toBe(true);
  expect(ending.length).toBeGreaterThan(0);
  const { duplicates } = await scenario.conclude('a surge');
  expect(duplicates).toBe(0);
});
