import { messageEvents } from '../support/clients/publisher';
import { provided } from '../support/harness/provided';
import { Scenario } from '../support/harness/scenario';
import type { Environment } from '../support/processes/relay';
import { ConnectProxy } from '../support/proxies/connect-proxy';
import { AUTHORITY, type Certificate, TlsFront } from '../support/proxies/tls/front';
import { PUSHER, PusherScenario } from '../support/pusher/scenario';
import { everyNth, Receiver } from '../support/servers/receiver';

jest.setTimeout(120_000);

const TRUSTING: Environment = { NODE_EXTRA_CA_CERTS: AUTHORITY };
/** `localhost`, whichever of the two it is here. */
const LOOPBACK = '127.0.0.0/8,::1/128';

const closing: { close(): Promise<void> }[] = [];

async function front(target: string, certificate?: Certificate): Promise<TlsFront> {
  const made = await TlsFront.start(target, certificate);
  closing.push(made);
  return made;
}

async function scenarioWith(receiver: Receiver, env: Environment): Promise<Scenario> {
  const scenario = await Scenario.start({ receiver, env });
  closing.unshift(scenario);
  return scenario;
}

afterEach(async () => {
  for (const each of closing.splice(0)) await each.close();
});

test('broker, Redis and webhooks over TLS: what fails is retried, and all is delivered to whom the name belongs', async () => {
  const receiver = await Receiver.start();
  receiver.behaviour = everyNth(5, 1, { status: 503 });
  const [rabbit, redis, hook] = [
    await front(provided('RABBITMQ_URI')),
    await front(provided('REDIS_URI')),
    await front(receiver.url),
  ];
  const url = `https://localhost:${hook.port}/hook`;
  const scenario = await scenarioWith(receiver, {
    ...TRUSTING,
    RABBITMQ_URI: `amqps://localhost:${rabbit.port}`,
    REDIS_URI: `rediss://localhost:${redis.port}`,
    WEBHOOK_GLOBAL_URL: url,
  });
  await scenario.startWorker();
  await scenario.publish(500);
  await scenario.conclude('everything over TLS');
  expect(receiver.arrivals).toBeGreaterThan(550);
  expect([rabbit, redis, hook].map(({ names }) => [...new Set(names.all)])).toEqual(
    Array(3).fill(['localhost']),
  );
});

test("an instance's webhook over TLS goes through the address guard", async () => {
  const receiver = await Receiver.start();
  const { port } = await front(receiver.url);
  const scenario = await scenarioWith(receiver, {
    ...TRUSTING,
    WEBHOOK_GLOBAL_ENABLED: 'false',
    WEBHOOK_ALLOWED_NETWORKS: LOOPBACK,
  });
  const settings = { webhook: { enabled: true, url: `https://localhost:${port}/hook` } };
  const set = await scenario.command('settings', 'set', 'instance-1', JSON.stringify(settings));
  expect(set).toMatchObject({ code: 0 });
  await scenario.startWorker();
  await scenario.publishEvents(messageEvents('guarded', 50));
  await scenario.untilAccepted(10);
  await scenario.stopWorkers();
});

test.each(['http', 'https'])(
  'through an %s proxy TLS is spoken with the receiver, by its own name',
  async (scheme) => {
    const receiver = await Receiver.start();
    const hook = await front(receiver.url, 'elsewhere');
    const proxy = await ConnectProxy.start();
    closing.push({ close: () => proxy.stop() });
    proxy.redirect = `localhost:${hook.port}`;
    const secure = await front(proxy.url);
    const scenario = await scenarioWith(receiver, {
      ...TRUSTING,
      HTTPS_PROXY: scheme === 'http' ? proxy.url : `https://localhost:${secure.port}`,
      WEBHOOK_GLOBAL_URL: 'https://elsewhere/hook',
    });
    await scenario.startWorker();
    await scenario.publish(100);
    await scenario.conclude(`webhook through an ${scheme} proxy`);
    expect(new Set(proxy.asked.all.map(({ authority }) => authority))).toEqual(new Set(['elsewhere:443']));
    expect(new Set(hook.names.all)).toEqual(new Set(['elsewhere']));
    expect(secure.names.all.length > 0).toBe(scheme === 'https');
  },
);

test.each<[string, Certificate, Environment, string]>([
  ['that nobody signed', 'stranger', TRUSTING, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['of an authority that is not trusted', 'localhost', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['of another host', 'elsewhere', TRUSTING, 'ERR_TLS_CERT_ALTNAME_INVALID'],
])(
  'a webhook with a certificate %s gets nothing; history and doctor say why',
  async (_what, certificate, env, code) => {
    const receiver = await Receiver.start();
    const { port } = await front(receiver.url, certificate);
    const scenario = await scenarioWith(receiver, {
      ...env,
      WEBHOOK_GLOBAL_URL: `https://localhost:${port}/hook`,
      WEBHOOK_RETRY_MAX_ATTEMPTS: '2',
    });
    await scenario.startWorker();
    await scenario.publish(1);
    await scenario.untilAudited(({ dead }) => dead === 1);
    const { id } = JSON.parse((await scenario.command('dead-letters', 'ls', '--json')).stdout) as {
      id: string;
    };
    const letter = await scenario.command('dead-letters', 'show', id);
    expect(letter.stdout).toContain(code);
    const doctor = await scenario.command('doctor');
    expect(doctor.stdout).toContain(code);
    expect(doctor.stdout.includes('NODE_EXTRA_CA_CERTS')).toBe(code !== 'ERR_TLS_CERT_ALTNAME_INVALID');
    expect(receiver.arrivals).toBe(0);
    await scenario.stopWorkers();
  },
);

test('Pusher over TLS: one handshake serves many requests', async () => {
  const harness = await PusherScenario.start();
  closing.unshift(harness);
  const pusher = await front(`http://127.0.0.1:${harness.server.port}`);
  await harness.scenario.startWorker({
    ...TRUSTING,
    PUSHER_GLOBAL_USE_TLS: 'true',
    PUSHER_GLOBAL_HOST: 'localhost',
    PUSHER_GLOBAL_PORT: String(pusher.port),
  });
  await harness.scenario.publishEvents(messageEvents('tls', 1000));
  await harness.untilTaken(1000);
  await harness.scenario.untilAudited(({ delivered }) => delivered === 1000, PUSHER);
  expect(pusher.names.all.length).toBeLessThan(40);
  expect(new Set(pusher.names.all)).toEqual(new Set(['localhost']));
  await harness.scenario.stopWorkers();
});

test('a broker and a Redis whose certificates nobody signed: doctor says so, and what helps', async () => {
  const receiver = await Receiver.start();
  const [rabbit, redis] = [
    await front(provided('RABBITMQ_URI'), 'stranger'),
    await front(provided('REDIS_URI'), 'stranger'),
  ];
  const scenario = await scenarioWith(receiver, {
    ...TRUSTING,
    RABBITMQ_URI: `amqps://localhost:${rabbit.port}`,
    REDIS_URI: `rediss://localhost:${redis.port}`,
  });
  const { stdout } = await scenario.command('doctor', '--json');
  const { findings } = JSON.parse(stdout) as { findings: { part: string; detail: string }[] };
  for (const part of ['rabbitmq', 'redis']) {
    expect(findings.find((finding) => finding.part === part)?.detail).toMatch(
      /DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/,
    );
  }
});
