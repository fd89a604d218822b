import { PASSWORD, PrivateRedisCluster, PrivateSentinel } from '../support/private-redis';
import { answering, ok } from '../support/receiver';
import type { Environment } from '../support/relay';
import { Scenario, WEBHOOK } from '../support/scenario';
import { AUTHORITY } from '../support/tls/front';

jest.setTimeout(180_000);

const EVENTS = 500;
/** Its host is nobody's: the lists name those. */
const uriWith = (scheme: string): string => `${scheme}://:${encodeURIComponent(PASSWORD)}@nowhere.invalid`;

let scenario: Scenario | undefined;
let service: PrivateRedisCluster | PrivateSentinel | undefined;

afterEach(async () => {
  await scenario?.close();
  await service?.dispose();
});

async function startWith(env: Environment): Promise<Scenario> {
  scenario = await Scenario.start({ env });
  return scenario;
}

/** Every event is parked once, settings are written and read, and all ends well. */
async function retryEverything(
  fault: string,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  if (scenario === undefined) throw new Error('start a scenario first');
  const { receiver } = scenario;
  receiver.behaviour = answering(503);
  await scenario.startWorker({ WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '5' });
  await scenario.publish(EVENTS);
  await scenario.untilAudited(({ parked }) => parked === EVENTS);
  await meanwhile();
  receiver.behaviour = ok;
  await scenario.conclude(fault);
  expect(await scenario.audit(WEBHOOK)).toMatchObject({ accepted: EVENTS, delivered: EVENTS });
  const set = await scenario.command('settings', 'set', 'loja', '{"websocket":{"enabled":true}}');
  expect(set).toMatchObject({ code: 0, stderr: '' });
  const get = await scenario.command('settings', 'get', 'loja');
  expect(get.stdout).toContain('websocket');
}

test.each([false, true])(
  'a Redis Cluster with a password keeps and retries everything (TLS: %s)',
  async (tls) => {
    const cluster = await PrivateRedisCluster.start({ tls });
    service = cluster;
    await startWith({
      REDIS_URI: uriWith(tls ? 'rediss' : 'redis'),
      REDIS_CLUSTER_NODES: cluster.nodes,
      ...(tls ? { NODE_EXTRA_CA_CERTS: AUTHORITY } : {}),
    });
    await retryEverything(`Redis Cluster${tls ? ' over TLS' : ''}`);
  },
);

test.each<[string, (sentinel: PrivateSentinel) => Promise<void>]>([
  ['a fail-over that was asked for', (sentinel) => sentinel.failOver()],
  ['the end of the master', (sentinel) => sentinel.loseMaster()],
])('Sentinels with a password: what was parked is retried after %s', async (what, change) => {
  const sentinel = await PrivateSentinel.start();
  service = sentinel;
  await startWith({
    REDIS_URI: uriWith('redis'),
    REDIS_SENTINELS: sentinel.sentinels,
    REDIS_SENTINEL_NAME: sentinel.group,
    REDIS_SENTINEL_PASSWORD: PASSWORD,
  });
  await retryEverything(`Sentinel: ${what}`, () => change(sentinel));
});
