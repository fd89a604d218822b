import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { SettingsCipher } from '../../src/settings/cipher';
import { parseSettings } from '../../src/settings/document';
import { SettingsEditor } from '../../src/settings/settings-editor';
import { SettingsStore } from '../../src/settings/settings-store';
import { digestOf } from '../../src/settings/token-entry';
import { errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { runCommand } from '../support/processes/command';
import { eventually, Happenings } from '../support/signals/signals';
import { folderWith } from '../support/values/folders';

jest.setTimeout(180_000);

const newKey = (): string => randomBytes(32).toString('base64');
const KEY = newKey();
const URL = 'https://example.com/hook';

/** What nobody can read, by what is wrong with it. */
const UNREADABLE: Readonly<Record<string, string | Buffer>> = {
  'another-key': new SettingsCipher([newKey()]).seal('another-key', '{"webhooks":{}}'),
  moved: new SettingsCipher([KEY]).seal('another', '{"webhooks":{}}'),
  'no-json': new SettingsCipher([KEY]).seal('no-json', 'token=s3cret'),
  'later-version': `sealed2.${randomBytes(60).toString('base64')}`,
  'refused-by-the-schema': new SettingsCipher([KEY]).seal(
    'refused-by-the-schema',
    '{"schema":"other","settings":{"webhook":{"url":5}}}',
  ),
  'in-clear': '{"webhook":{"url":"https://attacker.example/"}}',
  'ten-megabytes': 'x'.repeat(10_485_760),
  binary: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
  empty: '',
};
const NAMES = Object.keys(UNREADABLE);

const settings = (value: object) => {
  const parsed = parseSettings(MODULES.sections, value);
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  return parsed.settings;
};

describe('settings of one instance that cannot be read (findings 2.1, 2.6)', () => {
  let harness: GatewayHarness;
  let redis: Redis;
  let store: SettingsStore;

  beforeAll(async () => {
    harness = await GatewayHarness.start({ SETTINGS_ENCRYPTION_KEY: KEY });
    redis = harness.connectRedis();
    store = new SettingsStore({
      sections: MODULES.sections,
      redis,
      prefix: harness.prefix,
      cipher: new SettingsCipher([KEY]),
    });
  });
  afterAll(async () => {
    redis.disconnect();
    await harness.close();
  });
  beforeEach(async () => {
    for (const [name, text] of Object.entries(UNREADABLE)) {
      await redis.hset(`{${harness.prefix}}:settings`, name, text);
    }
    const pusher = { appId: '77', key: 'app-key', secret: 'app-secret', cluster: 'eu' };
    await store.update('healthy', () => settings({ webhook: { url: URL }, token: 'healthy-token', pusher }));
  });

  const command = (...args: string[]) => runCommand(args, harness.env);

  it('ls and export go on and name them; export ends with 1', async () => {
    const ls = await command('settings', 'ls');
    expect(ls.code).toBe(0);
    for (const name of NAMES) expect(ls.stdout).toMatch(new RegExp(`^${name} +unreadable`, 'm'));
    expect(ls.stdout).toMatch(/^healthy +on/m);
    const exported = await command('settings', 'export');
    expect(exported.code).toBe(1);
    expect(JSON.parse(exported.stdout)).toMatchObject([{ instanceName: 'healthy' }]);
    for (const name of NAMES) expect(exported.stderr).toContain(`"${name}"`);
    expect(ls.stderr + exported.stderr).not.toContain('s3cret');
    const get = await command('settings', 'get', 'no-json');
    expect([get.code, get.stderr]).toEqual([1, expect.stringContaining('cannot be read')]);
  });

  it.each(NAMES)('%s: set replaces it, and says so; rm removes it', async (name) => {
    const set = await command('settings', 'set', name, JSON.stringify({ webhook: { url: URL } }));
    expect([set.code, set.stderr]).toEqual([0, expect.stringContaining('was replaced as a whole')]);
    expect(await store.read(name)).toMatchObject({ webhook: { url: URL } });
    await redis.hset(`{${harness.prefix}}:settings`, name, UNREADABLE[name] ?? '');
    const rm = await command('settings', 'rm', name);
    expect([rm.code, rm.stdout]).toEqual([0, `removed ${name}\n`]);
    expect(await redis.hexists(`{${harness.prefix}}:settings`, name)).toBe(0);
  });

  it.each(NAMES)(
    '%s: over HTTP it is told with what helps, deleting works, and then setting',
    async (name) => {
      const body = { webhook: { url: URL } };
      for (const [method, path] of [
        ['POST', `/webhook/set/${name}`],
        ['POST', `/settings/set/${name}`],
        ['GET', `/webhook/find/${name}`],
        ['GET', `/settings/find/${name}`],
        ['DELETE', `/webhook/set/${name}`],
        ['POST', `/webhook/test/${name}`],
      ] as const) {
        const answer = await harness.ask(
          method,
          path,
          method === 'POST' && !path.includes('test') ? { body } : {},
        );
        expect([path, answer.status, answer.body]).toMatchObject([
          path,
          409,
          errorShape(409, 'Conflict', [expect.stringMatching(/cannot be read.*settings set.*DELETE/)]),
        ]);
      }
      const taken = await harness.ask('POST', '/instance/create', { body: { instanceName: name } });
      expect(taken.status).toBe(403);
      expect((await harness.ask('GET', `/webhook/find/${name}`, { key: 'a-wrong-token' })).status).toBe(401);
      expect((await harness.ask('DELETE', `/instance/delete/${name}`)).status).toBe(200);
      expect((await harness.ask('POST', `/webhook/set/${name}`, { body })).status).toBe(201);
    },
  );

  it('keys of others open as ever, and so do webhooks of their Pusher apps', async () => {
    const { status } = await harness.ask('GET', '/webhook/find/healthy', { key: 'healthy-token' });
    expect(status).toBe(200);
    const body = JSON.stringify({ time_ms: Date.now(), events: [] });
    const signature = createHmac('sha256', 'app-secret').update(body).digest('hex');
    const headers = { 'x-pusher-key': 'app-key', 'x-pusher-signature': signature };
    const taken = await harness.ask('POST', '/pusher/webhook/77', { body, key: null, headers });
    expect(taken.status).toBe(200);
  });

  it('settings encrypt seals what is in clear, and names what it cannot', async () => {
    const sealed = await command('settings', 'encrypt');
    expect([sealed.code, sealed.stdout]).toEqual([1, 'encrypted 1\n  in-clear\n']);
    expect(sealed.stderr).toContain('another-key');
    expect(await redis.hget(`{${harness.prefix}}:settings`, 'in-clear')).toMatch(/^sealed1\./);
    expect(await store.read('in-clear')).toMatchObject({ webhook: { url: 'https://attacker.example/' } });
  });
});

describe('tokens are found without settings being read (finding 1.9)', () => {
  const prefix = `tokens-${randomBytes(6).toString('hex')}`;
  const redis = new Redis(process.env['REDIS_URI'] ?? '', { lazyConnect: true });
  afterAll(async () => {
    const keys = await redis.keys(`{${prefix}}*`);
    if (keys.length > 0) await redis.del(...keys);
    redis.disconnect();
  });

  const openWith = (keys: readonly string[], file = new Map()) => {
    const store = new SettingsStore({
      sections: MODULES.sections,
      redis,
      prefix,
      cipher: new SettingsCipher(keys),
    });
    const instances = new SettingsEditor({
      store,
      file,
      config: MODULES.loadConfig(__dirname, {}).config,
    });
    return { store, instances };
  };

  it.each([
    ['in clear', []],
    ['encrypted', [KEY]],
  ])('%s: by an answer of some bytes, whatever the settings are', async (_how, keys) => {
    const { store, instances } = openWith(keys);
    const headers = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`x-${i}`, 'v'.repeat(8192)]));
    await store.update('loja', () => settings({ token: 'token-of-loja', webhook: { url: URL, headers } }));
    const asked = jest.spyOn(redis, 'eval');
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-loja'));
    const [answer] = await Promise.all(asked.mock.results.map(({ value }) => value as Promise<unknown>));
    expect([asked.mock.calls.length, typeof answer]).toEqual([1, 'string']);
    expect(String(answer).length).toBeLessThan(130);
    expect(String(answer)).not.toContain('token-of-loja');
    asked.mockRestore();
    expect(await instances.tokenDigestOf('unknown')).toBeUndefined();
  });

  it('of settings stored before there was an index: read once', async () => {
    const { store, instances } = openWith([KEY]);
    await store.update('older', () => settings({ token: 'token-of-older' }));
    await redis.hdel(`{${prefix}}:settings:tokens`, 'older');
    expect(await instances.tokenDigestOf('older')).toEqual(digestOf('token-of-older'));
    expect(await redis.hexists(`{${prefix}}:settings:tokens`, 'older')).toBe(1);
  });

  it('written to Redis by somebody else, an entry opens nothing', async () => {
    const { store, instances } = openWith([KEY]);
    await store.update('loja', () => settings({ token: 'token-of-loja' }));
    await redis.hset(`{${prefix}}:settings:tokens`, 'loja', digestOf('forged-token').toString('base64url'));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-loja'));
  });

  it('a token that is taken away, changed or deleted no longer opens; the file’s is there where Redis has none', async () => {
    const file = new Map([['loja', settings({ token: 'token-of-file' })]]);
    const { store, instances } = openWith([], file);
    await store.update('loja', () => settings({ token: 'token-one' }));
    await store.update('loja', () => settings({ token: 'token-two' }));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-two'));
    await store.update('loja', () => settings({}));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-file'));
    await store.update('loja', () => undefined);
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-file'));
  });
});

describe('what may be set', () => {
  let harness: GatewayHarness;
  beforeAll(async () => {
    harness = await GatewayHarness.start({ RABBITMQ_CONSUME: 'shared' });
    const body = { instanceName: 'loja', token: 'token-of-loja' };
    expect((await harness.ask('POST', '/instance/create', { body })).status).toBe(201);
  });
  afterAll(() => harness.close());

  it('secrets without a key to encrypt them with are warned of once at the start (finding 5.5)', async () => {
    const started = await harness.startProcess();
    await eventually(
      () => (started.log.includes('SETTINGS_ENCRYPTION_KEY') ? true : undefined),
      'a warning that names the variable',
    );
    expect(started.log.match(/stored unencrypted in Redis/g)).toHaveLength(1);
  });

  it.each([
    ['webhook', { webhook: { url: URL, events: ['MESSAGE_UPSRT'] } }],
    ['rabbitmq', { rabbitmq: { enabled: true, events: ['字'.repeat(100)] } }],
    ['settings', { sqs: { events: ['CALL', 'CALLS'] } }],
  ])('a tenant names events of the catalogue only: %s (finding 1.10)', async (section, body) => {
    const tenant = await harness.ask('POST', `/${section}/set/loja`, { body, key: 'token-of-loja' });
    expect(tenant.status).toBe(400);
    expect(tenant.text).toMatch(/did you mean|no more than 100 bytes/);
  });

  it('the operator may name those of a later core API, with a warning; the tenant keeps them', async () => {
    const body = { webhook: { url: URL, events: ['BRAND_NEW'] } };
    const operator = await harness.ask('POST', '/webhook/set/loja', { body });
    expect([operator.status, operator.text]).toEqual([201, expect.stringContaining('BRAND_NEW is none')]);
    const tenant = await harness.ask('POST', '/webhook/set/loja', { body, key: 'token-of-loja' });
    expect(tenant.status).toBe(201);
  });

  it('names that a broker cannot take are refused where a broker is asked for (finding 2.2)', async () => {
    const long = encodeURIComponent('n'.repeat(245));
    const body = { rabbitmq: { enabled: true, events: [] } };
    const refused = await harness.ask('POST', `/rabbitmq/set/${long}`, { body });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('255 bytes')]);
    expect((await harness.ask('POST', `/webhook/set/${long}`, { body: { url: URL } })).status).toBe(201);
  });

  it('settings of no more than 64 KB, values of no more than 8 KB (finding 1.9)', async () => {
    const webhooks = (count: number, bytes: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, i) => [
          `w${i}`,
          { url: URL, headers: { 'x-a': 'v'.repeat(bytes) } },
        ]),
      );
    const large = await harness.ask('POST', '/settings/set/loja', { body: { webhooks: webhooks(9, 8000) } });
    expect([large.status, large.text]).toEqual([400, expect.stringContaining('no more than 65536 bytes')]);
    const value = await harness.ask('POST', '/settings/set/loja', { body: { webhooks: webhooks(1, 9000) } });
    expect([value.status, value.text]).toEqual([400, expect.stringContaining('no more than 8192 bytes')]);
    const body = { webhooks: webhooks(20, 8000) };
    const document = await harness.ask('POST', '/settings/set/loja', { body });
    expect([document.status, document.text]).toEqual([400, expect.stringContaining('65536 bytes')]);
  });

  it.each([
    [
      'nested 5,000 deep',
      `{"webhook":{"url":"${URL}","headers":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}}`,
      400,
    ],
    [
      'with 9,000 unknown keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, 1]))),
      201,
    ],
    [
      'with 85,000 unknown keys',
      JSON.stringify(Object.fromEntries(Array.from({ length: 85_000 }, (_, i) => [`k${i}`, 1]))),
      413,
    ],
  ])('a body %s is answered with some lines (finding 4.7)', async (_what, body, status) => {
    const answer = await harness.ask('POST', '/webhook/set/loja', { body });
    expect(answer.status).toBe(status);
    expect(answer.text.length).toBeLessThan(20_000);
    if (status === 201)
      expect(answer.body).toMatchObject({
        warnings: expect.arrayContaining([expect.stringMatching(/^and 898\d more$/)]),
      });
  });

  it('stored headers are not sent to another origin, and tokens in addresses are never shown (finding 5.4)', async () => {
    const url = 'https://user:passw0rd@example.com/hook?token=s3cret';
    const headers = { authorization: 'Bearer s3cret' };
    const set = await harness.ask('POST', '/webhook/set/loja', {
      body: { webhook: { url, headers, events: [] } },
    });
    // Access in addresses may be refused as such.
    const given = set.status === 201 ? url : 'https://example.com/hook?token=s3cret';
    if (set.status !== 201) {
      const again = { webhook: { url: given, headers, events: [] } };
      expect((await harness.ask('POST', '/webhook/set/loja', { body: again })).status).toBe(201);
    }
    const found = await harness.ask('GET', '/webhook/find/loja');
    expect(found.text).not.toMatch(/s3cret|passw0rd/);
    expect((await harness.ask('GET', '/settings/find/loja')).text).not.toMatch(/s3cret|passw0rd/);
    const moved = { webhook: { url: 'https://attacker.example/' } };
    const refused = await harness.ask('POST', '/webhook/set/loja', { body: moved, key: 'token-of-loja' });
    expect([refused.status, refused.text]).toEqual([
      400,
      expect.stringContaining('webhook.headers.authorization'),
    ]);
    const back = await harness.ask('POST', '/webhook/set/loja', { body: { webhook: found.body } });
    expect(back.status).toBe(201);
    const redis = harness.connectRedis();
    const stored = JSON.parse((await harness.stored(redis, 'loja')) ?? '{}') as object;
    redis.disconnect();
    expect(stored).toMatchObject({ webhook: { url: given, headers } });
  });
});

describe('a worker beside an instance whose settings cannot be read (finding 2.6)', () => {
  let scenario: Scenario;
  let receiver: Server;
  const received = new Happenings<string>();

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      request.resume().on('end', () => {
        response.end();
        received.add(String(request.headers['webhook-id']));
      });
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    scenario = await Scenario.start({
      env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', SETTINGS_ENCRYPTION_KEY: KEY, RABBITMQ_PREFETCH: '20' },
    });
  });
  afterAll(async () => {
    await scenario.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  const events = (instance: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      key: `${instance}-${index}`,
      routingKey: 'messages.upsert',
      body: () =>
        Buffer.from(
          JSON.stringify({
            event: 'messages.upsert',
            instance,
            data: { key: { id: `${instance}-${index}` } },
            date_time: '2026-11-21T10:00:00.000Z',
          }),
        ),
    }));

  it('its events wait parked, the others’ are delivered, and once it is mended nothing is missing', async () => {
    const redis = new Redis(scenario.env['REDIS_URI'] ?? '');
    await redis.hset(`{${scenario.name}}:settings`, 'sick', UNREADABLE['another-key'] ?? '');
    const worker = await scenario.startWorker();
    await scenario.publishEvents([...events('sick', 100), ...events('healthy', 50)]);
    // The global webhook gets all of them, more than may be held at once.
    await scenario.untilAllAccepted();
    const { parked } = await scenario.untilAudited((line) => line.parked === 100, 'unreadable:instance/sick');
    expect([parked, received.all.length]).toEqual([100, 0]);
    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/^relay_unreadable_instances 1$/m);
    const ready = await fetch(`http://127.0.0.1:${worker.metricsPort}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({ settings: '1 instance cannot be read' }),
    ]);

    const { port } = receiver.address() as AddressInfo;
    const set = JSON.stringify({ webhook: { url: `http://127.0.0.1:${port}/` } });
    expect((await scenario.command('settings', 'set', 'sick', set)).code).toBe(0);
    // Each would be looked at again within 45 s.
    await scenario.makeDue();
    const ids = await received.count(100, 120_000);
    expect(new Set(ids).size).toBe(100);
    const own = await scenario.untilAudited((line) => line.delivered === 100, 'webhook:instance/sick');
    expect(own).toMatchObject({ accepted: 100, parked: 0, dead: 0 });
    await scenario.untilAudited(
      (line) => line.delivered === 100 && line.parked === 0,
      'unreadable:instance/sick',
    );
    redis.disconnect();
  });

  it('a wrong entry of SETTINGS_FILE leaves out its instance alone, which is caught up with once it is mended', async () => {
    const { port } = receiver.address() as AddressInfo;
    const entry = (instanceName: string, url: unknown) => ({ instanceName, webhook: { url } });
    const url = `http://127.0.0.1:${port}/`;
    const file = folderWith({
      'wrong.json': JSON.stringify([entry('file-sick', 5), entry('file-healthy', url), 'no entry at all']),
      'mended.json': JSON.stringify([entry('file-sick', url), entry('file-healthy', url)]),
    });
    const before = received.all.length;
    await scenario.stopWorkers();
    const worker = await scenario.startWorker({ SETTINGS_FILE: `${file.path}/wrong.json` });
    await scenario.publishEvents([...events('file-sick', 20), ...events('file-healthy', 20)]);
    await received.count(before + 20, 60_000);
    await scenario.untilAudited((line) => line.parked === 20, 'unreadable:instance/file-sick');
    const ready = await fetch(`http://127.0.0.1:${worker.metricsPort}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({ settings: '2 instances cannot be read' }),
    ]);
    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/^relay_unreadable_instances 2$/m);

    await scenario.stopWorkers();
    await scenario.startWorker({ SETTINGS_FILE: `${file.path}/mended.json` });
    await scenario.makeDue();
    const ids = await received.count(before + 40, 120_000);
    expect(new Set(ids).size).toBe(before + 40);
    file.remove();
  });
});
