import { createHmac, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { SettingsCipher } from '../../src/settings/cipher';
import { SettingsStore } from '../../src/settings/settings-store';
import { errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { runCommand } from '../support/processes/command';
import { settingsOf } from '../support/values/parsed-settings';
import { unreadableSettings } from '../support/values/unreadable-settings';

jest.setTimeout(180_000);

const KEY = randomBytes(32).toString('base64');
const HOOK = 'https://example.com/hook';
const UNREADABLE = unreadableSettings(KEY);
const NAMES = Object.keys(UNREADABLE);

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
    await store.update('healthy', () =>
      settingsOf({ webhook: { url: HOOK }, token: 'healthy-token', pusher }),
    );
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
    const set = await command('settings', 'set', name, JSON.stringify({ webhook: { url: HOOK } }));
    expect([set.code, set.stderr]).toEqual([0, expect.stringContaining('was replaced as a whole')]);
    expect(await store.read(name)).toMatchObject({ webhook: { url: HOOK } });
    await redis.hset(`{${harness.prefix}}:settings`, name, UNREADABLE[name] ?? '');
    const rm = await command('settings', 'rm', name);
    expect([rm.code, rm.stdout]).toEqual([0, `removed ${name}\n`]);
    expect(await redis.hexists(`{${harness.prefix}}:settings`, name)).toBe(0);
  });

  it.each(NAMES)(
    '%s: over HTTP it is told with what helps, deleting works, and then setting',
    async (name) => {
      const body = { webhook: { url: HOOK } };
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
