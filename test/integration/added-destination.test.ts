import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { settingsHead } from '../../src/cli/settings-lists';
import type { Config } from '../../src/config/config';
import { examine } from '../../src/doctor/doctor';
import { CORE_KEYS } from '../../src/events/catalogue';
import { RelayGateway } from '../../src/gateway/gateway';
import { SILENT } from '../../src/observability/logging';
import { Metrics } from '../../src/observability/metrics';
import { MASK } from '../../src/settings/masked-url';
import { RelayWorker } from '../../src/worker/worker';
import { configurationPage } from '../support/docs/configuration-page';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { freePort, HOST } from '../support/processes/ports';
import { HttpTarget } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';
import { TOY_MODULES } from '../support/toy/toy-modules';
import { eventBody } from '../support/values/events';

const API_KEY = 'operator-key-of-the-tests';
const INSTANCE = 'loja-centro';

const untilReady = (base: string): Promise<unknown> =>
  eventually(async () => (await fetch(`${base}/readyz`)).status === 200 || undefined, `${base} is ready`);

/** A letterbox (test/support/toy) is added to the list of destinations, and nothing else of the relay is changed. */
describe('a destination that is a folder and one line', () => {
  const prefix = `toy-${randomBytes(6).toString('hex')}`;
  const redisUri = process.env['REDIS_URI'] ?? '';
  let rabbit: RabbitHarness;
  let target: HttpTarget;
  let gateway: RelayGateway;
  let config: Config;
  let base: string;
  const log = { ...SILENT, debug: () => {} };

  beforeAll(async () => {
    rabbit = await RabbitHarness.open();
    target = await HttpTarget.start();
    const port = await freePort();
    config = TOY_MODULES.loadConfig(tmpdir(), {
      RABBITMQ_URI: process.env['RABBITMQ_URI'] ?? '',
      RABBITMQ_EXCHANGE_NAME: rabbit.exchange,
      RABBITMQ_QUEUE: rabbit.queue,
      REDIS_URI: redisUri,
      REDIS_PREFIX_KEY: prefix,
      AUTHENTICATION_API_KEY: API_KEY,
      GATEWAY_HOST: HOST,
      GATEWAY_PORT: String(port),
      METRICS_HOST: HOST,
      METRICS_PORT: String(await freePort()),
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      LETTERBOX_URL: `${target.url}/all`,
      LETTERBOX_EVENTS_CALL: 'true',
    }).config;
    base = `http://${HOST}:${port}`;
    gateway = new RelayGateway({
      modules: TOY_MODULES,
      config,
      settings: new Map(),
      metrics: new Metrics(),
      log,
    });
    await gateway.start();
    await untilReady(base);
  });
  afterAll(async () => {
    await gateway.stop();
    await target.stop();
    await rabbit.close();
    const redis = new Redis(redisUri);
    const keys = await redis.keys(`{${prefix}}*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  });

  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(base + path, {
      method,
      headers: {
        apikey: API_KEY,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  test('is set, found masked, and keeps its secret when what was found is set again', async () => {
    const url = `${target.url}/own?token=t`;
    const set = await ask('POST', `/letterbox/set/${INSTANCE}`, {
      letterbox: { url, password: 'p', colour: 'red' },
    });
    expect(set).toMatchObject({ status: 201, body: { enabled: true, password: MASK } });
    expect(set.body['warnings']).toContain('letterbox.colour: no such field; it is left out');
    const found = (await ask('GET', `/letterbox/find/${INSTANCE}`)).body;
    expect(found).toMatchObject({
      url: `${target.url}/own?token=${MASK}`,
      password: MASK,
      events: CORE_KEYS,
    });
    expect((await ask('POST', `/letterbox/set/${INSTANCE}`, { letterbox: found })).status).toBe(201);
    const elsewhere = { url: 'http://127.0.0.1:1/' };
    expect(await ask('POST', `/letterbox/set/${INSTANCE}`, elsewhere)).toMatchObject({ status: 400 });
    expect((await ask('GET', `/settings/find/${INSTANCE}`)).body).toMatchObject({
      letterbox: { password: MASK },
    });
  });

  test('has its address checked as a webhook’s is', async () => {
    const { status, body } = await ask('POST', `/letterbox/set/${INSTANCE}`, { url: 'http://10.0.0.1/' });
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain('letterbox.url leads inside');
  });

  test('serves routes of its own behind the gateway’s keys, and both are described', async () => {
    expect((await ask('GET', `/letterbox/host/${INSTANCE}`)).body).toEqual({
      host: new URL(target.url).host,
    });
    expect((await ask('GET', '/letterbox/host/unknown')).status).toBe(404);
    expect((await fetch(`${base}/letterbox/host/${INSTANCE}`)).status).toBe(401);
    const { paths } = (await ask('GET', '/docs/json')).body as { paths: object };
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/letterbox/set/{instance}', '/letterbox/host/{instance}']),
    );
  });

  test('receives the events of its instance, and of all instances those that its switches let pass', async () => {
    const worker = new RelayWorker({
      modules: TOY_MODULES,
      config,
      settings: new Map(),
      metrics: new Metrics(),
      log,
    });
    try {
      await worker.start();
      await untilReady(`http://${HOST}:${config.metrics.port}`);
      for (const event of ['messages.upsert', 'call']) {
        rabbit.channel.publish(rabbit.exchange, event, eventBody(1, { event, instance: INSTANCE }));
      }
      await target.received.count(3);
    } finally {
      expect(await worker.stop()).toBe(true);
    }
    const ways = target.received.all.map(({ path, headers }) => [path.split('/')[1], headers['x-password']]);
    expect(ways.sort()).toEqual([
      ['all', undefined],
      ['own', 'p'],
      ['own', 'p'],
    ]);
  });

  test('is inspected by doctor', async () => {
    const findings = await examine({ modules: TOY_MODULES, config, warnings: [], settings: new Map() });
    expect(findings).toContainEqual({
      part: `letterbox:instance/${INSTANCE}`,
      check: 'password',
      state: 'ok',
      detail: 'is set',
    });
  });

  test('is removed', async () => {
    expect((await ask('DELETE', `/letterbox/set/${INSTANCE}`)).status).toBe(200);
    expect((await ask('GET', `/letterbox/find/${INSTANCE}`)).body).toBeNull();
  });
});

describe('what is said of it', () => {
  const load = (environment: Readonly<Record<string, string>>) => () =>
    TOY_MODULES.loadConfig(tmpdir(), { ...environment });

  test('the documentation has its variables, its switches and its platform’s name', () => {
    const page = configurationPage(TOY_MODULES);
    const [, section = ''] = page.split('## Letterboxes');
    expect(section).toContain('| `LETTERBOX_URL` 🔒 |');
    expect(page).toContain('| `LETTERBOX_EVENTS_<KEY>` | events that the global letterbox receives |');
    expect(page).toContain('| `LETTERBOX_ADDON_URL` | `LETTERBOX_URL` |');
    expect(TOY_MODULES.envExample()).toContain('#LETTERBOX_TIMEOUT_MS=30000');
  });

  test('lists of settings have its column', () => {
    expect(settingsHead(TOY_MODULES.sections)).toContain('LETTERBOX');
  });

  test('its variables are checked with all others', () => {
    expect(load({ LETTERBOX_URL: 'http://a.test/box/', LETTERBOX_TIMEOUT_MS: '0' })).toThrow(
      /LETTERBOX_TIMEOUT_MS: must be a whole number[\s\S]*LETTERBOX_URL: must not end with a slash/,
    );
    expect(load({ LETTERBOX_ADDON_URL: 'http://a.test' })().values['LETTERBOX_URL']).toBe('http://a.test');
  });
});
