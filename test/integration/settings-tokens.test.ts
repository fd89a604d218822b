import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { SettingsCipher } from '../../src/settings/cipher';
import { SettingsEditor } from '../../src/settings/settings-editor';
import { SettingsStore } from '../../src/settings/settings-store';
import { digestOf } from '../../src/settings/token-entry';
import { settingsOf } from '../support/values/parsed-settings';

jest.setTimeout(180_000);

const KEY = randomBytes(32).toString('base64');
const HOOK = 'https://example.com/hook';

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
    await store.update('loja', () => settingsOf({ token: 'token-of-loja', webhook: { url: HOOK, headers } }));
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
    await store.update('older', () => settingsOf({ token: 'token-of-older' }));
    await redis.hdel(`{${prefix}}:settings:tokens`, 'older');
    expect(await instances.tokenDigestOf('older')).toEqual(digestOf('token-of-older'));
    expect(await redis.hexists(`{${prefix}}:settings:tokens`, 'older')).toBe(1);
  });

  it('written to Redis by somebody else, an entry opens nothing', async () => {
    const { store, instances } = openWith([KEY]);
    await store.update('loja', () => settingsOf({ token: 'token-of-loja' }));
    await redis.hset(`{${prefix}}:settings:tokens`, 'loja', digestOf('forged-token').toString('base64url'));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-loja'));
  });

  it('a token that is taken away, changed or deleted no longer opens; the file’s is there where Redis has none', async () => {
    const file = new Map([['loja', settingsOf({ token: 'token-of-file' })]]);
    const { store, instances } = openWith([], file);
    await store.update('loja', () => settingsOf({ token: 'token-one' }));
    await store.update('loja', () => settingsOf({ token: 'token-two' }));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-two'));
    await store.update('loja', () => settingsOf({}));
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-file'));
    await store.update('loja', () => undefined);
    expect(await instances.tokenDigestOf('loja')).toEqual(digestOf('token-of-file'));
  });
});
