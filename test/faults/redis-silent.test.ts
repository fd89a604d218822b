import { Redis } from 'ioredis';
import { parseUrl } from '../../src/config/url';
import { connectRedis } from '../../src/redis/client';
import { RedisConnections } from '../../src/redis/connections';
import { Subscriber } from '../../src/redis/subscriber';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { PrivateRedis } from '../support/servers/private-services';
import { answering, ok } from '../support/servers/receiver';
import { eventually } from '../support/signals/signals';
import { redisConfig } from '../support/values/redis-config';

jest.setTimeout(180_000);

/** The promise is 30 s. */
const NOTICED_MS = 30_000;

describe('Redis that changes under living connections', () => {
  let redis: PrivateRedis;
  let admin: Redis;
  let proxy: FreezingProxy;
  let scenario: Scenario | undefined;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
    admin = new Redis(redis.uri);
    admin.on('error', () => {});
    proxy = await FreezingProxy.start(Number(parseUrl(redis.uri)?.port));
  });
  afterEach(async () => {
    await scenario?.close();
    scenario = undefined;
    admin.disconnect();
    await proxy.close();
    await redis.dispose();
  });

  const through = (): string => `redis://127.0.0.1:${proxy.port}`;
  const unready = (worker: RelayProcess, detail: string): Promise<void> =>
    worker.until(
      async () => {
        const { status, body } = await worker.readiness();
        return status === 503 && body.includes(detail);
      },
      NOTICED_MS,
      `not ready: ${detail}`,
    );

  test('connections that go silent without an end are made anew within 30 s (finding 3.1)', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    scenario.receiver.behaviour = answering(503);
    await scenario.startWorker({ REDIS_URI: through(), WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '2' });
    await scenario.publish(50);
    await scenario.untilAudited(({ parked }) => parked === 50);
    proxy.freeze();
    scenario.receiver.behaviour = ok;
    await scenario.untilAllAccepted(NOTICED_MS + 15_000);
    await scenario.publish(50);
    await scenario.conclude('Redis connections silent');
  });

  test('SIGTERM while it is silent: nothing comes twice, and the log says what the audit misses', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    const worker = await scenario.startWorker({ REDIS_URI: through(), SHUTDOWN_TIMEOUT_SECONDS: '5' });
    await scenario.publish(10);
    await scenario.untilAudited(({ delivered }) => delivered === 10);
    proxy.freeze();
    await scenario.publish(30);
    await scenario.untilAllAccepted();
    await worker.until(async () => (await scenario?.queueLength()) === 0, NOTICED_MS, 'all acknowledged');
    worker.signal('SIGTERM');
    // What it could not count is no success.
    expect(await worker.ended(NOTICED_MS)).toEqual({ code: 1, signal: null });
    const missed = worker.log.split('\n').find((line) => line.includes('the audit misses deliveries'));
    expect(JSON.parse(missed ?? '{}')).toMatchObject({
      delivered: 30,
      discarded: 0,
      destinations: { 'webhook:global': 30 },
    });
    const { accepted, delivered } = await scenario.audit();
    expect([accepted, delivered, scenario.receiver.duplicates]).toEqual([10, 10, 0]);
  });

  test('a subscriber that goes silent is subscribed again, and says so (findings 3.1, 3.21)', async () => {
    const connections = new RedisConnections({ config: redisConfig(through(), 'silent'), onError: () => {} });
    try {
      const subscriber = connections.subscriber();
      let recovered = 0;
      const heard: string[] = [];
      subscriber.onRecovered(() => recovered++);
      subscriber.onMessage((channel, message) => heard.push(`${channel} ${message}`));
      await eventually(() => (subscriber.isUp ? true : undefined), 'up');
      await subscriber.subscribe('news');
      expect(recovered).toBe(1);
      proxy.freeze();
      await eventually(() => (recovered > 1 ? true : undefined), 'recovered', NOTICED_MS);
      await admin.publish('news', 'hello');
      await eventually(() => (heard.includes('news hello') ? true : undefined), 'heard');
    } finally {
      connections.close();
    }
  });

  test('a subscriber that messages no longer reach subscribes anew although its server answers (finding 3.21)', async () => {
    const client = connectRedis(redisConfig(redis.uri, 'deaf'), 'subscriber', () => {});
    // As if what is published went to servers that this one has lost touch with.
    const publish = async (): Promise<number> => 0;
    const subscriber = new Subscriber({ redis: client, publish, pulseChannel: 'pulse', onError: () => {} });
    try {
      await eventually(() => (subscriber.isUp ? true : undefined), 'up');
      const ids = new Set<number>();
      const connections = async (): Promise<true | undefined> => {
        const [id] = /^id=(\d+)/m.exec(String(await admin.client('LIST', 'TYPE', 'PUBSUB')))?.slice(1) ?? [];
        if (id !== undefined) ids.add(Number(id));
        return ids.size > 1 ? true : undefined;
      };
      let recovered = 0;
      subscriber.onRecovered(() => recovered++);
      await eventually(connections, 'another connection', NOTICED_MS);
      await eventually(() => (recovered > 2 ? true : undefined), 'recovered', NOTICED_MS);
    } finally {
      subscriber.close();
    }
  });

  test('a Redis that refuses writes is no ready one, with its reason, and is ready when it takes them again (finding 3.13)', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    const worker = await scenario.startWorker();
    await admin.set('ballast', 'x'.repeat(3_000_000));
    await admin.config('SET', 'maxmemory', '2mb');
    await unready(worker, 'redis refuses writes: OOM');
    await admin.config('SET', 'maxmemory', '0');
    await worker.untilReady();
    await admin.replicaof('127.0.0.1', '1');
    await unready(worker, 'redis refuses writes: READONLY');
    const doctor = await scenario.command('doctor');
    expect(doctor.stdout).toContain('it is a replica');
    await admin.replicaof('NO', 'ONE');
    await worker.untilReady();
    await admin.config('SET', 'min-replicas-to-write', '1');
    await unready(worker, 'redis refuses writes: NOREPLICAS');
    await admin.config('SET', 'min-replicas-to-write', '0');
    await worker.untilReady();
  });

  test('a Redis that is a new one is told at once, with what was lost (finding 3.11)', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    scenario.receiver.behaviour = answering(503);
    // All of them wait for long: a scenario's own longest delay, or an open circuit, would bring them back at once.
    const worker = await scenario.startWorker({
      WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '600',
      WEBHOOK_RETRY_MAX_DELAY_SECONDS: '600',
      CIRCUIT_FAILURES: '1000',
    });
    await scenario.publish(20);
    await scenario.untilAudited(({ parked }) => parked === 20);
    // The counts are taken after each beat: those of the next one are known once the one after it is written.
    const beat = async (): Promise<number> => {
      const [key] = await admin.keys('*:beat:*');
      return key === undefined ? 0 : Number(await admin.get(key));
    };
    const before = await beat();
    await worker.until(async () => (await beat()) >= before + 2, 60_000, 'two more beats');
    await admin.flushall();
    await worker.untilLogged('redis has lost everything that the relay stored', NOTICED_MS);
    await worker.until(
      async () => (await worker.metric('relay_store_lost_total')) === 1,
      10_000,
      'counted once',
    );
    expect(worker.log).toContain('20 parked');
    const { status, body } = await worker.readiness();
    expect([status, body]).toEqual([200, expect.stringContaining('has lost everything')]);
  });

  test('a full Redis empties itself: retries that succeed are removed, dead letters too (finding 3.13)', async () => {
    scenario = await Scenario.start({ redis: redis.uri });
    scenario.receiver.behaviour = answering(503);
    await scenario.startWorker({
      WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '8',
      WEBHOOK_RETRY_MAX_DELAY_SECONDS: '8',
    });
    await scenario.publish(200);
    await scenario.untilAudited(({ parked }) => parked === 200);
    await admin.set('ballast', 'x'.repeat(3_000_000));
    await admin.config('SET', 'maxmemory', '2mb');
    scenario.receiver.behaviour = ok;
    const { audit } = await scenario.conclude('Redis full');
    expect(audit).toMatchObject({ parked: 0, delivered: 200 });
  });
});
