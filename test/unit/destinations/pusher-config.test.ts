import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { originOf } from '../../../src/destinations/pusher/pusher-address';
import { pusherConfig } from '../../../src/destinations/pusher/pusher-config';
import {
  eventNameProblem,
  instanceNameProblem,
  isOwnChannel,
} from '../../../src/destinations/pusher/pusher-names';
import { MODULES } from '../../../src/modules';

const APP = {
  PUSHER_GLOBAL_APP_ID: '123456',
  PUSHER_GLOBAL_KEY: 'abcdef123456',
  PUSHER_GLOBAL_SECRET: 'secret123456',
  PUSHER_GLOBAL_CLUSTER: 'us2',
};
const KEY = Buffer.alloc(32, 1).toString('base64');

describe('the configuration of Pusher', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evolution-relay-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const load = (env: Record<string, string>) => {
    const { config } = MODULES.loadConfig(folder, env);
    return { pusher: pusherConfig.of(config), proxy: config.outgoing.proxy };
  };
  const originFor = (env: Record<string, string>) => {
    const app = load(env).pusher.global?.app;
    return app && originOf(app);
  };

  test('the documented variables make the global app, with TLS', () => {
    const { pusher } = load({ ...APP, PUSHER_ENABLED: 'true', PUSHER_GLOBAL_ENABLED: 'true' });
    expect(pusher.global).toMatchObject({
      app: { appId: '123456', key: 'abcdef123456', secret: 'secret123456', cluster: 'us2', useTLS: true },
      events: 'all',
    });
  });

  test.each([
    ['a cluster', APP, 'https://api-us2.pusher.com'],
    ['without TLS', { ...APP, PUSHER_GLOBAL_USE_TLS: 'false' }, 'http://api-us2.pusher.com'],
    ['a host', { ...APP, PUSHER_GLOBAL_HOST: 'soketi' }, 'https://soketi'],
    [
      'a host and port',
      { ...APP, PUSHER_GLOBAL_HOST: '::1', PUSHER_GLOBAL_PORT: '6001' },
      'https://[::1]:6001',
    ],
    ['an address', { PUSHER_URL: 'http://k:s@api-eu.pusher.com/apps/42' }, 'http://api-eu.pusher.com'],
    ['an address with port', { PUSHER_URL: 'https://k:s@localhost:6001/apps/42' }, 'https://localhost:6001'],
  ])('where the app is: %s', (_what, env, origin) => {
    expect(originFor(env)).toBe(origin);
  });

  test('PUSHER_URL is a whole app, percent-encoded; an app that is set otherwise comes first', () => {
    const url = 'https://k%40:s%2F@api-eu.pusher.com/apps/42';
    expect(load({ PUSHER_URL: url }).pusher.global?.app).toMatchObject({
      appId: '42',
      key: 'k@',
      secret: 's/',
    });
    expect(load({ ...APP, PUSHER_URL: url }).pusher.global?.app).toMatchObject({
      appId: '123456',
      key: 'abcdef123456',
      cluster: 'us2',
      host: undefined,
    });
  });

  test('switched off there is no global app', () => {
    expect(load({}).pusher.global).toBeUndefined();
    expect(load({ ...APP, PUSHER_GLOBAL_ENABLED: 'false' }).pusher.global).toBeUndefined();
    expect(load({ ...APP, PUSHER_ENABLED: 'false' }).pusher).toMatchObject({
      enabled: false,
      global: undefined,
    });
  });

  test('switches narrow the events', () => {
    const { pusher } = load({ ...APP, PUSHER_EVENTS_GROUP_UPDATE: 'true', PUSHER_EVENTS_CALL: 'false' });
    expect(pusher.global?.events).toEqual(new Set(['GROUPS_UPDATE']));
  });

  test.each([
    ['PUSHER_GLOBAL_APP_ID', { ...APP, PUSHER_GLOBAL_APP_ID: '', PUSHER_GLOBAL_ENABLED: 'true' }],
    ['PUSHER_GLOBAL_KEY', { ...APP, PUSHER_GLOBAL_KEY: '' }],
    ['PUSHER_GLOBAL_SECRET', { ...APP, PUSHER_GLOBAL_SECRET: '' }],
    ['PUSHER_GLOBAL_CLUSTER', { ...APP, PUSHER_GLOBAL_CLUSTER: '' }],
    ['PUSHER_GLOBAL_CLUSTER', { ...APP, PUSHER_GLOBAL_CLUSTER: 'us2.evil.example/' }],
    ['PUSHER_GLOBAL_HOST', { ...APP, PUSHER_GLOBAL_HOST: 'https://x/' }],
    ['PUSHER_GLOBAL_PORT', { ...APP, PUSHER_GLOBAL_PORT: '0' }],
    ['PUSHER_URL', { PUSHER_URL: 'https://api-eu.pusher.com/apps/42' }],
    ['PUSHER_URL', { PUSHER_URL: 'https://k%zz:s@api-eu.pusher.com/apps/42' }],
    ['PUSHER_URL', { PUSHER_URL: 'https://k:s%@api-eu.pusher.com/apps/42' }],
    ['PUSHER_CHANNEL_PREFIX', { ...APP, PUSHER_CHANNEL_PREFIX: 'my channel-' }],
    ['PUSHER_ENCRYPTION_MASTER_KEY_BASE64', { ...APP, PUSHER_CHANNEL_PREFIX: 'private-encrypted-' }],
    ['PUSHER_ENCRYPTION_MASTER_KEY_BASE64', { ...APP, PUSHER_ENCRYPTION_MASTER_KEY_BASE64: 'short' }],
    ['PUSHER_OVERSIZE', { ...APP, PUSHER_OVERSIZE: 'cut' }],
    ['GATEWAY_URL', { ...APP, PUSHER_OVERSIZE: 'reference' }],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'socks5://proxy:1080' }],
  ])('%s that is wrong or missing is named', (variable, env) => {
    expect(() => load(env)).toThrow(new RegExp(`^ {2}- ${variable}: `, 'm'));
  });

  test('what is right passes', () => {
    const { pusher, proxy } = load({
      ...APP,
      PUSHER_CHANNEL_PREFIX: 'private-encrypted-',
      PUSHER_ENCRYPTION_MASTER_KEY_BASE64: KEY,
      PUSHER_OVERSIZE: 'reference',
      GATEWAY_URL: 'https://relay.example.test',
      http_proxy: 'http://proxy:3128',
      NO_PROXY: 'localhost, .lan',
    });
    expect(pusher).toMatchObject({ masterKey: KEY, oversize: 'reference' });
    expect(proxy).toEqual({ http: 'http://proxy:3128', https: undefined, except: ['localhost', '.lan'] });
  });
});

describe('names that Pusher takes', () => {
  test.each([
    ['loja-centro', ''],
    ['suporte.sp', 'private-'],
    ['A_1=@,.;-', ''],
    ['x'.repeat(164), ''],
    ['encrypted-loja', ''],
    ['loja', 'private-encrypted-'],
  ])('%j with the prefix %j', (instance, prefix) => {
    expect(instanceNameProblem(instance, prefix)).toBeUndefined();
  });

  test.each([
    ['loja centro', '', '" "'],
    ['são', '', '"ã"'],
    ['😀', '', '"😀"'],
    ['a/b', '', '"/"'],
    ['#a', '', '"#"'],
    ['x'.repeat(157), 'private-', 'have 165'],
    ['encrypted-loja', 'private-', 'PUSHER_CHANNEL_PREFIX'],
  ])('%j with the prefix %j is refused', (instance, prefix, rule) => {
    expect(instanceNameProblem(instance, prefix)).toContain(rule);
  });

  test('events have at most 200 bytes, however many characters those are', () => {
    expect(eventNameProblem('x'.repeat(200))).toBeUndefined();
    expect(eventNameProblem('x'.repeat(201))).toContain('201');
    expect(eventNameProblem('é'.repeat(100))).toBeUndefined();
    expect(eventNameProblem('é'.repeat(101))).toContain('202');
  });

  test('a channel is one of ours: prefix and an instance, of an app of their own one of theirs (finding 1.7)', () => {
    const instances = new Set(['loja']);
    expect(isOwnChannel('private-loja', 'private-', instances)).toBe(true);
    expect(isOwnChannel('private-other', 'private-', instances)).toBe(false);
    expect(isOwnChannel('loja', 'private-', instances)).toBe(false);
    expect(isOwnChannel('private-other', 'private-', undefined)).toBe(true);
    expect(isOwnChannel('private-', 'private-', undefined)).toBe(false);
    expect(isOwnChannel(`private-${'x'.repeat(200)}`, 'private-', undefined)).toBe(false);
  });
});
