import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { webhookSection } from '../../src/destinations/webhook/webhook-section';
import { MODULES } from '../../src/modules';
import { SILENT } from '../../src/observability/logging';
import { RedisConnections } from '../../src/redis/connections';
import { SettingsCipher } from '../../src/settings/cipher';
import type { Settings } from '../../src/settings/section';
import { SettingsCache } from '../../src/settings/settings-cache';
import { SettingsStore, settingsOrThrow } from '../../src/settings/settings-store';
import { subscriberOf } from '../../src/settings/settings-subscriber';
import { rabbitMqSection } from '../../src/sources/rabbitmq/rabbitmq-section';
import { settingsOf } from '../support/values/parsed-settings';
import { redisConfig } from '../support/values/redis-config';

jest.setTimeout(60_000);

describe('the cache of settings', () => {
  const prefix = `settings-${randomBytes(6).toString('hex')}`;
  const uri = process.env['REDIS_URI'] ?? '';
  const open: { redis: Redis; cache: SettingsCache; connections: RedisConnections }[] = [];

  function connect(file: ReadonlyMap<string, Settings> = new Map(), keys: readonly string[] = []) {
    const redis = new Redis(uri);
    const connections = new RedisConnections({ config: redisConfig(uri, prefix), onError: () => {} });
    const store = new SettingsStore({
      sections: MODULES.sections,
      redis,
      prefix,
      cipher: new SettingsCipher(keys),
    });
    const errors: unknown[] = [];
    let knowsNames: () => void = () => {};
    const ready = new Promise<void>((resolve) => {
      knowsNames = resolve;
    });
    const cache = new SettingsCache({
      store,
      subscriber: subscriberOf(connections.subscriber()),
      file,
      onChange: () => knowsNames(),
      onError: (error) => errors.push(error),
      log: SILENT,
    });
    cache.start();
    open.push({ redis, cache, connections });
    return { redis, store, cache, errors, ready };
  }

  afterEach(async () => {
    const parts = ['', ':exchanges', ':queues', ':tokens', ':version', ':changes'];
    await open[0]?.redis.del(...parts.map((part) => `{${prefix}}:settings${part}`));
    for (const { redis, cache, connections } of open.splice(0)) {
      cache.close();
      connections.close();
      redis.disconnect();
    }
  });

  test('an instance without settings costs no look at Redis once the names are known', async () => {
    const { cache, redis, ready } = connect();
    await ready;
    expect(cache.of('unknown')).toBeUndefined();
    const looked = jest.spyOn(redis, 'eval');
    expect(cache.of('another')).toBeUndefined();
    expect(looked).not.toHaveBeenCalled();
  });

  test('settings are read once for many events that come at once', async () => {
    const { store, cache, redis, ready } = connect();
    await store.update('loja', () => settingsOf({ sqs: {} }));
    await ready;
    const looked = jest.spyOn(redis, 'eval');
    const all = await Promise.all(Array.from({ length: 100 }, () => cache.of('loja')));
    expect(new Set(all).size).toBe(1);
    // Once more where the names came meanwhile, and once where the news of the change did.
    expect(looked.mock.calls.length).toBeLessThanOrEqual(3);
    expect(cache.of('loja')).toBe(all[0]);
  });

  test('two that change one instance at once lose neither change', async () => {
    const stores = Array.from({ length: 4 }, () => connect().store);
    await Promise.all(
      stores.map((store, index) =>
        store.update('loja', (stored) => {
          const before = settingsOrThrow(stored);
          const added = { [`n${index}`]: { url: 'http://a.test' } };
          return settingsOf({ ...before, webhooks: { ...webhookSection.further(before), ...added } });
        }),
      ),
    );
    expect(Object.keys(webhookSection.further(await stores[0]?.read('loja'))).sort()).toEqual([
      'n0',
      'n1',
      'n2',
      'n3',
    ]);
  });

  test('names of instances whose exchange is consumed are known without reading all settings', async () => {
    const { store } = connect();
    await store.update('a', () => settingsOf({ rabbitmq: {} }));
    await store.update('b', () => settingsOf({ rabbitmq: {} }));
    await store.update('b', () => settingsOf({ rabbitmq: { enabled: false } }));
    expect(await store.namesWith(rabbitMqSection)).toEqual(['a']);
  });

  test('with a wrong key the settings are known to be unreadable, and nothing waits for them (finding 2.1)', async () => {
    const key = randomBytes(32).toString('base64');
    const right = connect(new Map(), [key]);
    await right.store.update('loja', () => settingsOf({ sqs: {} }));
    const wrong = connect(new Map(), [randomBytes(32).toString('base64')]);
    await wrong.ready;
    expect(await wrong.cache.of('loja')).toMatchObject({
      code: 'SETTINGS_UNREADABLE',
      cause: { code: 'SETTINGS_KEY_MISSING' },
    });
    expect([wrong.cache.unreadable, wrong.errors]).toEqual([1, []]);
    await expect(wrong.store.read('loja')).rejects.toThrow(/SETTINGS_ENCRYPTION_KEY/);
  });
});
