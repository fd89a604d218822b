import { Scenario, WEBHOOK } from '../support/harness/scenario';
import type { Environment } from '../support/processes/relay';
import { AUTHORITY } from '../support/proxies/tls/front';
import { PASSWORD, PrivateRedisCluster, PrivateSentinel } from '../support/servers/private-redis';
import { answering, ok } from '../support/servers/receiver';

jest.setTimeout(180_000);

const EVENTS = 500;
/** Its host is nobody's: the lists name those. */
const uriWith = (scheme: string): string => `${scheme}://:${encodeURIComponent(PASSWORD)}@nowhere.invalid`;

/** The last one opened is the first to close. */
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function disposeLater<T extends PrivateRedisCluster | PrivateSentinel>(service: T): T {
  closing.push(() => service.dispose());
  return service;
}

/** Every event is parked once, settings are written and read, and all ends well. */
async function retryEverything(
  what: string,
  env: Environment,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const scenario = await Scenario.start({ env });
  closing.push(() => scenario.close());
  const { receiver } = scenario;
  receiver.behaviour = answering(503);
  await scenario.startWorker({ WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '5' });
  await scenario.publish(EVENTS);
  await scenario.untilAudited(({ parked }) => parked === EVENTS);
  await meanwhile();
  receiver.behaviour = ok;
  await scenario.conclude(what);
  expect(await scenario.audit(WEBHOOK)).toMatchObject({ accepted: EVENTS, delivered: EVENTS });
  const set = await scenario.command('settings', 'set', 'loja', '{"websocket":{"enabled":true}}');
  expect(set).toMatchObject({ code: 0, stderr: expect.stringMatching(/^warning: WEBSOCKET_ENABLED .*\n$/) });
  const get = await scenario.command('settings', 'get', 'loja');
  expect(get.stdout).toContain('websocket');
}

test.each([false, true])(
  'a Redis Cluster with a password keeps and retries everything (TLS: %s)',
  async (tls) => {
    const { nodes } = disposeLater(await PrivateRedisCluster.start({ tls }));
    await retryEverything(`Redis Cluster${tls ? ' over TLS' : ''}`, {
      REDIS_URI: uriWith(tls ? 'rediss' : 'redis'),
      REDIS_CLUSTER_NODES: nodes,
      ...(tls ? { NODE_EXTRA_CA_CERTS: AUTHORITY } : {}),
    });
  },
);

test.each<[string, (sentinel: PrivateSentinel) => Promise<void>]>([
  ['a fail-over that was asked for', (sentinel) => sentinel.failOver()],
  ['the end of the master', (sentinel) => sentinel.loseMaster()],
])('Sentinels with a password: what was parked is retried after %s', async (what, change) => {
  const sentinel = disposeLater(await PrivateSentinel.start());
  const env = {
    REDIS_URI: uriWith('redis'),
    REDIS_SENTINELS: sentinel.sentinels,
    REDIS_SENTINEL_NAME: sentinel.group,
    REDIS_SENTINEL_PASSWORD: PASSWORD,
  };
  await retryEverything(`Sentinel: ${what}`, env, () => change(sentinel));
});
