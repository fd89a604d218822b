import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { PrivateRedis } from '../support/servers/private-services';
import { everyNth } from '../support/servers/receiver';

jest.setTimeout(180_000);

/** As many wait at the broker before Redis is back. */
const QUEUED = 1000;
const HELD = 'relay_in_flight{what="messages"}';
const UNDER_WAY = 'relay_in_flight{what="attempts"}';

const untilUnready = (worker: RelayProcess): Promise<void> =>
  worker.until(async () => (await worker.readiness()).status === 503, 15_000, 'not ready');

describe('Redis away', () => {
  let redis: PrivateRedis;
  let scenario: Scenario;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
  });

  afterEach(async () => {
    try {
      await scenario.close();
    } finally {
      await redis.dispose();
    }
  });

  test('stopped and started, then killed and started, while deliveries fail: nothing is lost', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    scenario.receiver.behaviour = everyNth(4, 1, { status: 503 });
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(2500, 400);

    await scenario.untilAccepted(500);
    await redis.stop();
    await untilUnready(worker);
    await redis.restart();
    await worker.untilReady();

    await scenario.untilAccepted(1200);
    await redis.kill();
    await untilUnready(worker);
    await redis.restart();
    await worker.untilReady();

    await publishing;
    await scenario.conclude('Redis stopped and started');
  });

  test('until a thousand events wait at the broker, while deliveries fail: successes go on, intake pauses at the window, nothing is lost', async () => {
    const window = 100;
    scenario = await Scenario.start({ redis: redis.uri, env: { RABBITMQ_PREFETCH: String(window) } });
    const { receiver } = scenario;
    receiver.behaviour = everyNth(8, 1, { status: 503 });
    const worker = await scenario.startWorker();
    const publishing = scenario.publish(3000, 200);
    await scenario.untilAccepted(300);

    await redis.stop();
    await untilUnready(worker);
    expect((await worker.readiness()).body).toContain('waiting for redis');
    const before = receiver.distinct;
    await scenario.untilAccepted(before + 400, 15_000);
    // Nothing under way and the window full: each of its messages waits for Redis.
    const isPaused = async (): Promise<boolean> => {
      const metrics = await worker.metrics();
      return metrics.get(HELD) === window && metrics.get(UNDER_WAY) === 0;
    };
    await worker.until(isPaused, 30_000, 'intake pauses');
    const { arrivals } = receiver;
    await worker.until(async () => (await scenario.queueLength()) > QUEUED, 60_000, 'the queue grows');
    expect(await isPaused()).toBe(true);
    expect(receiver.arrivals).toBe(arrivals);
    expect((await worker.readiness()).status).toBe(503);

    await redis.restart();
    await worker.untilReady();
    await publishing;
    await scenario.conclude('Redis away until the queue has grown');
  });
});
