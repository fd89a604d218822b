import { messageEvents } from '../support/clients/publisher';
import type { Environment } from '../support/processes/relay';
import { connectClient, subscribe } from '../support/pusher/client';
import { LocalGateway } from '../support/pusher/gateway';
import { PUSHER, PusherScenario, withPoison } from '../support/pusher/scenario';
import type { Misbehaviour } from '../support/pusher/server';
import { eventually } from '../support/signals/signals';

jest.setTimeout(300_000);

const PROBES = 3;
const BAD_REQUESTS = 15;
const IMPATIENT: Environment = { PUSHER_REQUEST_TIMEOUT_MS: '1000', DELIVERY_SLOW_AFTER_MS: '300' };

const faults: readonly { name: string; misbehaviour: Misbehaviour; env: Environment }[] = [
  { name: 'answers 500', misbehaviour: { status: 500 }, env: {} },
  { name: 'answers 429', misbehaviour: { status: 429, headers: { 'retry-after': '1' } }, env: {} },
  { name: 'answers 403', misbehaviour: { status: 403, body: 'over quota' }, env: {} },
  { name: 'resets connections', misbehaviour: 'reset', env: {} },
  { name: 'hangs past the timeout', misbehaviour: 'hang', env: IMPATIENT },
  { name: 'is slow', misbehaviour: { lateMs: 700 }, env: IMPATIENT },
];

describe('Pusher', () => {
  let harness: PusherScenario;

  afterEach(() => harness.close());

  test('is down until its open circuit was tried again and again in vain', async () => {
    harness = await PusherScenario.start();
    const worker = await harness.scenario.startWorker();
    const publishing = harness.scenario.publish(2500, 400);
    await harness.untilTaken(500);
    await harness.server.down();
    await worker.untilProbed(PROBES);
    await harness.server.up();
    await publishing;
    await harness.conclude('down');
  });

  test.each(faults)('$name, and is well again', async ({ name, misbehaviour, env }) => {
    harness = await PusherScenario.start(env);
    const { server, scenario } = harness;
    await scenario.startWorker();
    const publishing = scenario.publish(2000, 800);
    await harness.untilTaken(300);
    server.misbehaviour = () => misbehaviour;
    await server.requests.count(server.requests.all.length + BAD_REQUESTS, 60_000);
    server.misbehaviour = () => undefined;
    await publishing;
    await harness.conclude(name);
  });

  test('refuses one event in every tenth batch: that one is dead, all others arrive', async () => {
    // 20 kB are configured, the plan of the app takes ten.
    harness = await PusherScenario.start({ PUSHER_MAX_EVENT_BYTES: '20480' });
    const { scenario } = harness;
    await scenario.startWorker();
    const every = 100;
    const events = withPoison(messageEvents(scenario.name, 2000), every, 12_000);
    await scenario.publishEvents(events, 1000);
    const acceptable = scenario.published.filter((_, index) => index % every !== every - 1);
    const audit = await harness.conclude('one poisoned event in every tenth batch', acceptable, 20);
    expect(audit.delivered).toBe(acceptable.length);
    const { stdout } = await scenario.command('dead-letters', 'ls', '--reason', 'oversize', '--json');
    expect(stdout.trim().split('\n')).toHaveLength(20);
  });

  test('has batches in flight when the worker is killed: nothing is lost', async () => {
    harness = await PusherScenario.start();
    const { scenario, server } = harness;
    server.misbehaviour = () => ({ lateMs: 40 });
    const first = await scenario.startWorker();
    const publishing = scenario.publish(2500, 1000);
    await harness.untilTaken(700);
    await first.kill();
    await scenario.audit(PUSHER);
    const second = await scenario.startWorker();
    await harness.untilTaken(1500);
    await second.kill();
    await scenario.startWorker();
    await publishing;
    await harness.conclude('worker killed with batches in flight');
  });

  test('channels that are occupied lose nothing when what is known of them is lost', async () => {
    harness = await PusherScenario.start({
      PUSHER_SKIP_VACANT_CHANNELS: 'true',
      PUSHER_VACANT_CHECK_SECONDS: '1',
    });
    const { scenario, server, app } = harness;
    const gateway = await LocalGateway.start({ ...scenario.env, LOG_LEVEL: 'error' });
    app.webhookUrl = `${gateway.url}/pusher/webhook/${app.id}`;
    const client = connectClient(server, app);
    try {
      const isOccupied = (key: string): boolean => Number(key.split('-').at(-1)) % 5 < 2;
      for (const instance of ['instance-0', 'instance-1']) await subscribe(client, instance);
      const worker = await scenario.startWorker();
      const discarded = () => worker.total('relay_discarded_total');
      const publishing = scenario.publish(4000, 500);
      await eventually(
        async () => ((await discarded()) > 100 ? true : undefined),
        'vacant channels are skipped',
      );
      const keys = await gateway.redis.keys(`{${scenario.name}}:occupancy:*`);
      await gateway.redis.del(...keys);
      await publishing;
      const occupied = scenario.published.filter(isOccupied);
      await harness.untilTaken(occupied.length);
      const audit = await scenario.untilAudited(
        ({ accepted, parked }) => parked === 0 && accepted >= scenario.published.length,
        PUSHER,
      );
      expect(harness.missing(occupied)).toEqual([]);
      expect(audit.discarded).toBeGreaterThan(100);
      await harness.conclude('occupancy store lost', occupied);
    } finally {
      client.disconnect();
      await server.webhooks.idle();
      await gateway.stop();
    }
  });
});
