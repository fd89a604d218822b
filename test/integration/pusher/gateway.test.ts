import { randomBytes } from 'node:crypto';
import type PusherClient from 'pusher-js';
import type { Options } from 'pusher-js';
import { ReferenceStore } from '../../../src/references/reference-store';
import { connectClient, subscribe } from '../../support/pusher/client';
import { CREDENTIALS, MASTER_KEY } from '../../support/pusher/destination';
import { API_KEY, LocalGateway } from '../../support/pusher/gateway';
import type { PusherApp } from '../../support/pusher/rules';
import { PusherServer } from '../../support/pusher/server';
import { hmac } from '../../support/pusher/signature';
import { HttpTarget, respond } from '../../support/servers/http-target';
import { eventually, Happenings } from '../../support/signals/signals';

jest.setTimeout(60_000);

const OWN = { appId: '77', key: 'own-key', secret: 'own-secret', cluster: 'eu' };
const TOKEN = 'token-of-loja-centro';

let app: PusherApp;
let ownApp: PusherApp;
let server: PusherServer;
let gateway: LocalGateway;
let hook: HttpTarget;
let clients: PusherClient[];

async function start(env: Record<string, string> = {}): Promise<void> {
  gateway = await LocalGateway.start({
    PUSHER_GLOBAL_APP_ID: app.id,
    PUSHER_GLOBAL_KEY: app.key,
    PUSHER_GLOBAL_SECRET: app.secret,
    PUSHER_GLOBAL_CLUSTER: 'us2',
    PUSHER_CHANNEL_PREFIX: 'private-',
    PUSHER_ENCRYPTION_MASTER_KEY_BASE64: MASTER_KEY,
    ...env,
  });
}

beforeEach(async () => {
  app = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
  ownApp = { id: OWN.appId, key: OWN.key, secret: OWN.secret };
  server = await PusherServer.start([app, ownApp]);
  hook = await HttpTarget.start();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.disconnect();
  await server.stop();
  await gateway.stop();
  await hook.stop();
});

/** A real client that has its subscriptions signed by the gateway. */
function client(headers: Record<string, string>, options: Partial<Options> = {}, of = app): PusherClient {
  const created = connectClient(server, of, {
    channelAuthorization: { transport: 'ajax', endpoint: `${gateway.url}/pusher/auth`, headers },
    userAuthentication: {
      transport: 'ajax',
      endpoint: `${gateway.url}/pusher/user-auth`,
      headers,
      params: { instance: 'loja-centro', user_id: 'ann' },
    },
    ...options,
  });
  clients.push(created);
  return created;
}

function form(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.url}/pusher/auth`, { method: 'POST', headers, body: new URLSearchParams(fields) });
}

async function setSettings(instance: string, settings: object): Promise<void> {
  for (const [section, value] of Object.entries(settings)) {
    const answer = await gateway.post(`/${section}/set/${instance}`, { [section]: value });
    expect(answer.status).toBe(201);
  }
}

async function setToken(): Promise<void> {
  const created = await gateway.post('/instance/create', { instanceName: 'loja-centro', token: TOKEN });
  expect(created.status).toBe(201);
}

describe('signing subscriptions', () => {
  test.each([
    ['private-', 'private-loja-centro'],
    ['presence-', 'presence-loja-centro'],
    ['private-encrypted-', 'private-encrypted-loja-centro'],
  ])('a client with the key subscribes to %s channels', async (prefix, channel) => {
    await start({ PUSHER_CHANNEL_PREFIX: prefix });
    await subscribe(client({ apikey: API_KEY }), channel);
    expect(server.occupied(app.id)).toEqual([channel]);
  });

  test("an instance's token opens that instance's channel, and no other", async () => {
    await start();
    await setToken();
    await subscribe(client({ apikey: TOKEN }), 'private-loja-centro');
    for (const channel of ['private-loja-sul', 'private-loja', 'presence-loja-centro', 'private-']) {
      await expect(subscribe(client({ apikey: TOKEN }), channel)).rejects.toThrow(/401/);
    }
    expect(server.occupied(app.id)).toEqual(['private-loja-centro']);
  });

  test.each([
    ['no key', {}, 401],
    ['a wrong key', { apikey: 'wrong' }, 401],
  ])('%s is refused', async (_what, headers, status) => {
    await start();
    const answer = await form({ socket_id: '1.2', channel_name: 'private-loja-centro' }, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status, error: 'Unauthorized' });
  });

  test.each([
    [{ socket_id: 'x', channel_name: 'private-a' }, 400],
    [{ socket_id: '1.2:private-b', channel_name: 'private-a' }, 400],
    [{ socket_id: '1.2', channel_name: 'elsewhere' }, 403],
  ])('what is no subscription of ours is refused: %j', async (fields, status) => {
    await start();
    expect((await form(fields, { apikey: API_KEY })).status).toBe(status);
  });

  test("an instance's own app signs for its own clients, the global one for those that name it", async () => {
    await start();
    await setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    const sign = async (others: Record<string, string>) =>
      (
        await form({ socket_id: '1.2', channel_name: 'private-loja-centro', ...others }, { apikey: API_KEY })
      ).json();
    expect(await sign({})).toEqual({
      auth: `own-key:${hmac('own-secret', '1.2:private-loja-centro')}`,
    });
    expect(await sign({ app_key: app.key })).toEqual({
      auth: `${app.key}:${hmac(app.secret, '1.2:private-loja-centro')}`,
    });
    expect(await sign({ app_key: 'unknown' })).toMatchObject({ status: 404 });
    await subscribe(client({ apikey: API_KEY }, {}, ownApp), 'private-loja-centro');
  });

  test('who somebody is on a presence channel, the client says', async () => {
    await start({ PUSHER_CHANNEL_PREFIX: 'presence-' });
    const answer = await form(
      { socket_id: '1.2', channel_name: 'presence-a', user_id: 'ann', user_info: '{"name":"Ann"}' },
      { apikey: API_KEY },
    );
    const { channel_data } = (await answer.json()) as { channel_data: string };
    expect(JSON.parse(channel_data)).toEqual({ user_id: 'ann', user_info: { name: 'Ann' } });
  });

  test("a user of a token is that instance's user, whatever it calls itself", async () => {
    await start();
    await setToken();
    const ann = client({ apikey: TOKEN });
    ann.signin();
    await ann.user.signinDonePromise;
    expect(ann.user.user_data).toMatchObject({ id: 'loja-centro/ann' });
  });

  describe('with a hook', () => {
    const ask = (headers: Record<string, string> = { authorization: 'Bearer of-a-page' }) =>
      form({ socket_id: '1.2', channel_name: 'presence-loja-centro', tenant: '7' }, headers);
    beforeEach(() =>
      start({ PUSHER_AUTH_HOOK_URL: `${hook.url}/decide?x=1`, PUSHER_CHANNEL_PREFIX: 'presence-' }),
    );

    test('it decides about clients without a key, and says who they are', async () => {
      hook.answer = respond(200, {}, JSON.stringify({ user_id: 7, user_info: { name: 'Ann' } }));
      const answer = await ask();
      const { channel_data } = (await answer.json()) as { channel_data: string };
      expect(JSON.parse(channel_data)).toEqual({ user_id: '7', user_info: { name: 'Ann' } });
      const [request] = hook.received.all;
      expect(request).toMatchObject({ path: '/decide?x=1', headers: { authorization: 'Bearer of-a-page' } });
      expect(JSON.parse(String(request?.body))).toEqual({
        socket_id: '1.2',
        channel_name: 'presence-loja-centro',
        instance: 'loja-centro',
        params: { tenant: '7' },
      });
    });

    test.each([
      [403, 403],
      [401, 403],
      [500, 502],
    ])('its %d becomes %d', async (status, expected) => {
      hook.answer = respond(status);
      expect((await ask()).status).toBe(expected);
    });

    const times = async (count: number, ask: () => Promise<Response>): Promise<number[]> =>
      (await Promise.all(Array.from({ length: count }, ask))).map(({ status }) => status);

    test('500 questions of one address are few calls of it (finding 5.6)', async () => {
      hook.answer = respond(200);
      const startedAt = performance.now();
      const statuses = await times(500, () => ask());
      const seconds = (performance.now() - startedAt) / 1000;
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20);
      // A burst of 60, and five in each second that they took.
      expect(hook.received.all.length).toBeLessThanOrEqual(70 + 5 * seconds);
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
      // Who shows a key is not concerned.
      expect((await ask({ apikey: API_KEY })).status).toBe(200);
    });

    test.each([
      [{ socket_id: 'x', channel_name: 'presence-a' }, 400],
      [{ socket_id: '1.2', channel_name: 'elsewhere' }, 403],
      [{ socket_id: '1.2', channel_name: 'presence-a b' }, 400],
      [{ socket_id: '1.2', channel_name: `presence-${'x'.repeat(200)}` }, 400],
      [{ socket_id: '1.2', channel_name: 'presence-a', app_key: 'unknown' }, 403],
    ])('it is not asked about what cannot be granted: %j (finding 5.6)', async (fields, status) => {
      expect((await form(fields)).status).toBe(status);
      expect(hook.received.all).toHaveLength(0);
    });

    test('users that it names are not those of an instance (finding 5.6)', async () => {
      hook.answer = respond(200, {}, JSON.stringify({ user_id: 'loja-centro/ann' }));
      const answer = await fetch(`${gateway.url}/pusher/user-auth`, {
        method: 'POST',
        body: new URLSearchParams({ socket_id: '1.2' }),
      });
      const { user_data } = (await answer.json()) as { user_data: string };
      expect(JSON.parse(user_data)).toEqual({ id: 'loja-centro%2Fann' });
    });

    test('a wrong key is refused without asking it', async () => {
      expect((await ask({ apikey: 'wrong' })).status).toBe(401);
      expect(hook.received.all).toHaveLength(0);
    });
  });
});

describe("Pusher's own webhooks", () => {
  const counted = (event: string) => gateway.metric(`relay_pusher_webhooks_total{event="${event}"}`);
  const send = (body: string, headers: Record<string, string> = {}, path = `/pusher/webhook/${app.id}`) =>
    gateway.post(path, body, {
      'x-pusher-key': app.key,
      'x-pusher-signature': hmac(app.secret, body),
      ...headers,
    });
  const occupied = (channel: string, timeMs = Date.now()) =>
    JSON.stringify({ time_ms: timeMs, events: [{ name: 'channel_occupied', channel }] });

  test('are taken from the real thing, and counted', async () => {
    await start();
    app.webhookUrl = `${gateway.url}/pusher/webhook/${app.id}`;
    app.clientEvents = true;
    const channel = await subscribe(client({ apikey: API_KEY }), 'private-loja-centro');
    channel.trigger('client-typing', {});
    await eventually(async () => (await counted('client_event')) === 1 || undefined, 'a client event');
    clients[0]?.unsubscribe('private-loja-centro');
    await eventually(async () => (await counted('channel_vacated')) === 1 || undefined, 'vacated');
    expect(await counted('channel_occupied')).toBe(1);
  });

  test('sent again they change nothing', async () => {
    await start();
    const body = occupied('private-a');
    for (let time = 0; time < 3; time++) expect((await send(body)).status).toBe(200);
    expect(await counted('channel_occupied')).toBe(1);
  });

  test('a clock that is hours off is no reason to refuse them', async () => {
    await start();
    for (const hours of [-5, 5])
      expect((await send(occupied('a', Date.now() + hours * 3.6e6))).status).toBe(200);
  });

  test.each([
    ['a wrong signature', { 'x-pusher-signature': 'f'.repeat(64) }],
    ['a short signature', { 'x-pusher-signature': 'f' }],
    ['no signature', { 'x-pusher-signature': '' }],
    ['the key of another app', { 'x-pusher-key': OWN.key }],
  ])('with %s they are refused', async (_what, headers) => {
    await start();
    expect((await send(occupied('a'), headers)).status).toBe(401);
    expect(await counted('channel_occupied')).toBe(0);
  });

  test('signed by another token of the app are taken where it is named: Pusher signs by the oldest one that is active', async () => {
    const [body, old] = [occupied('private-a'), { key: 'old-key', secret: 'old:secret' }];
    const signed = { 'x-pusher-key': old.key, 'x-pusher-signature': hmac(old.secret, body) };
    await start();
    expect((await send(body, signed)).status).toBe(401);
    await gateway.stop();
    await start({ PUSHER_GLOBAL_WEBHOOK_TOKENS: `other:token, ${old.key}:${old.secret}` });
    expect((await send(body, signed)).status).toBe(200);
    expect((await send(body)).status).toBe(200);
    expect(await counted('channel_occupied')).toBe(2);
    const wrong = { ...signed, 'x-pusher-signature': hmac('another-secret', body) };
    expect((await send(body, wrong)).status).toBe(401);
    expect((await send(body, signed, `/pusher/webhook/${OWN.appId}`)).status).toBe(401);
  });

  test("of an instance's own app are taken; of an app that nobody has set they are not", async () => {
    await start();
    const body = occupied('a');
    const signed = { 'x-pusher-key': OWN.key, 'x-pusher-signature': hmac(OWN.secret, body) };
    expect((await send(body, signed, '/pusher/webhook/99')).status).toBe(401);
    await gateway.stop();
    await start();
    await setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    expect((await send(body, signed, `/pusher/webhook/${OWN.appId}`)).status).toBe(200);
  });
});

describe('what is known of occupied channels', () => {
  const SKIP = { PUSHER_SKIP_VACANT_CHANNELS: 'true', PUSHER_CHANNEL_PREFIX: 'p-' };
  const post = async (
    channel: string,
    of: { appId: string; key: string; secret: string },
  ): Promise<number> => {
    const body = JSON.stringify({ time_ms: Date.now(), events: [{ name: 'channel_occupied', channel }] });
    const signed = { 'x-pusher-key': of.key, 'x-pusher-signature': hmac(of.secret, body) };
    return (await gateway.post(`/pusher/webhook/${of.appId}`, body, signed)).status;
  };
  const GLOBAL = { appId: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
  const keys = async (): Promise<string[]> => gateway.redis.keys(`{${gateway.prefix}}:occupancy:*`);
  const known = async (): Promise<string[]> =>
    (
      await Promise.all(
        (await keys()).filter((key) => key.endsWith(':channels')).map((key) => gateway.redis.smembers(key)),
      )
    )
      .flat()
      .sort();

  test('where nobody asks for it nothing is kept (finding 1.7)', async () => {
    await start();
    for (let index = 0; index < 5; index++) expect(await post(`private-${index}`, GLOBAL)).toBe(200);
    expect(await keys()).toEqual([]);
  });

  test('a tenant’s webhooks about channels that are none of its app’s are ignored, and leave nothing (finding 1.7)', async () => {
    await start(SKIP);
    await setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    for (let index = 0; index < 20; index++) expect(await post(`p-made-up-${index}`, OWN)).toBe(200);
    expect(await keys()).toEqual([]);
    expect(await post('p-loja-centro', OWN)).toBe(200);
    expect(await post('p-any', GLOBAL)).toBe(200);
    expect(await post('elsewhere', GLOBAL)).toBe(200);
    expect(await known()).toEqual(['p-any', 'p-loja-centro']);
    for (const key of await keys()) expect(await gateway.redis.pttl(key)).toBeGreaterThan(0);
  });

  test('it goes with the last instance that has the app (finding 1.7)', async () => {
    await start(SKIP);
    await setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    await post('p-loja-centro', OWN);
    await post('p-any', GLOBAL);
    const gone = await fetch(`${gateway.url}/instance/delete/loja-centro`, {
      method: 'DELETE',
      headers: { apikey: API_KEY },
    });
    expect(gone.status).toBe(200);
    await eventually(async () => (await known()).join() === 'p-any' || undefined, 'forgotten', 60_000);
  }, 90_000);
});

describe('events behind links', () => {
  const BASE_URL = 'https://relay.example.test/base/';
  const BASE = { baseUrl: BASE_URL, path: 'events' } as const;
  const store = (others: Partial<{ ttlSeconds: number; maxBytes: number }> = {}) =>
    new ReferenceStore({
      redis: gateway.redis,
      prefix: gateway.prefix,
      ttlSeconds: 100,
      maxBytes: 1_000_000,
      ...others,
    });
  const pathOf = (url: string) => url.slice(BASE_URL.length - 1);

  test('are served whole, to a page of any origin, without a key', async () => {
    await start();
    const body = Buffer.from(JSON.stringify({ event: 'messages.set', data: 'olá '.repeat(50_000) }));
    const { url, expires } = await store().keep({ id: 'dlv_1', owner: 'loja', body }, BASE);
    expect(url.startsWith('https://relay.example.test/base/events/dlv_1?')).toBe(true);
    expect(expires).toBeGreaterThan(Date.now() / 1000 + 98);
    const answer = await gateway.get(pathOf(url), { origin: 'https://page.example.test' });
    expect(answer.headers.get('access-control-allow-origin')).toMatch(/\*|page\.example/);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
    const [key] = await gateway.redis.keys(`*references:event:dlv_1`);
    expect(await gateway.redis.strlen(key ?? '')).toBeLessThan(5000);
    expect(await gateway.redis.ttl(key ?? '')).toBeGreaterThan(90);
  });

  test('a link opens its own event only', async () => {
    await start();
    const { url } = await store().keep({ id: 'dlv_1', owner: 'loja', body: Buffer.from('{}') }, BASE);
    await store().keep({ id: 'dlv_2', owner: 'loja', body: Buffer.from('{}') }, BASE);
    const status = async (path: string) => (await gateway.get(path)).status;
    expect(await status(pathOf(url).replace('dlv_1', 'dlv_2'))).toBe(403);
    expect(await status(pathOf(url).replace(/expires=\d+/, 'expires=9999999999'))).toBe(403);
    expect(await status(`${pathOf(url)}x`)).toBe(403);
    expect(await status('/events/dlv_1')).toBe(403);
  });

  test('the oldest make room for new ones; one that could never fit is refused', async () => {
    await start();
    const bounded = store({ maxBytes: 10_000 });
    const urls: string[] = [];
    const keep = (id: string, by = bounded) => by.keep({ id, owner: 'loja', body: randomBytes(3000) }, BASE);
    for (let n = 1; n <= 5; n++) urls.push((await keep(`dlv_${n}`)).url);
    const kept = new Happenings<number>();
    for (const url of urls) kept.add((await gateway.get(pathOf(url))).status);
    expect(kept.all[0]).toBe(404);
    expect(kept.all[4]).toBe(200);
    const sizes = await gateway.redis.hgetall(`{${gateway.prefix}}:references:kept`);
    expect(Number(sizes['*'])).toBeLessThanOrEqual(10_000);
    await expect(keep('dlv_9', store({ maxBytes: 10 }))).rejects.toThrow('PUSHER_REFERENCE_MAX');
  });
});
