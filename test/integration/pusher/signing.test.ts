import { subscribe } from '../../support/pusher/client';
import { API_KEY } from '../../support/pusher/gateway';
import { GatewayScene, OWN } from '../../support/pusher/gateway-scene';
import { hmac } from '../../support/pusher/signature';
import { respond } from '../../support/servers/http-target';

const TOKEN = 'token-of-loja-centro';

jest.setTimeout(60_000);

let scene: GatewayScene;
beforeEach(async () => {
  scene = await GatewayScene.open();
});
afterEach(() => scene.close());

function form(fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${scene.gateway.url}/pusher/auth`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
  });
}

async function setToken(): Promise<void> {
  const created = await scene.gateway.post('/instance/create', { instanceName: 'loja-centro', token: TOKEN });
  expect(created.status).toBe(201);
}

describe('signing subscriptions', () => {
  test.each([
    ['private-', 'private-loja-centro'],
    ['presence-', 'presence-loja-centro'],
    ['private-encrypted-', 'private-encrypted-loja-centro'],
  ])('a client with the key subscribes to %s channels', async (prefix, channel) => {
    await scene.start({ PUSHER_CHANNEL_PREFIX: prefix });
    await subscribe(scene.client({ apikey: API_KEY }), channel);
    expect(scene.server.occupied(scene.app.id)).toEqual([channel]);
  });

  test("an instance's token opens that instance's channel, and no other", async () => {
    await scene.start();
    await setToken();
    await subscribe(scene.client({ apikey: TOKEN }), 'private-loja-centro');
    for (const channel of ['private-loja-sul', 'private-loja', 'presence-loja-centro', 'private-']) {
      await expect(subscribe(scene.client({ apikey: TOKEN }), channel)).rejects.toThrow(/401/);
    }
    expect(scene.server.occupied(scene.app.id)).toEqual(['private-loja-centro']);
  });

  test.each([
    ['no key', {}, 401],
    ['a wrong key', { apikey: 'wrong' }, 401],
  ])('%s is refused', async (_what, headers, status) => {
    await scene.start();
    const answer = await form({ socket_id: '1.2', channel_name: 'private-loja-centro' }, headers);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status, error: 'Unauthorized' });
  });

  test.each([
    [{ socket_id: 'x', channel_name: 'private-a' }, 400],
    [{ socket_id: '1.2:private-b', channel_name: 'private-a' }, 400],
    [{ socket_id: '1.2', channel_name: 'elsewhere' }, 403],
  ])('what is no subscription of ours is refused: %j', async (fields, status) => {
    await scene.start();
    expect((await form(fields, { apikey: API_KEY })).status).toBe(status);
  });

  test("an instance's own app signs for its own clients, the global one for those that name it", async () => {
    await scene.start();
    await scene.setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    const sign = async (others: Record<string, string>) =>
      (
        await form({ socket_id: '1.2', channel_name: 'private-loja-centro', ...others }, { apikey: API_KEY })
      ).json();
    expect(await sign({})).toEqual({
      auth: `own-key:${hmac('own-secret', '1.2:private-loja-centro')}`,
    });
    expect(await sign({ app_key: scene.app.key })).toEqual({
      auth: `${scene.app.key}:${hmac(scene.app.secret, '1.2:private-loja-centro')}`,
    });
    expect(await sign({ app_key: 'unknown' })).toMatchObject({ status: 404 });
    await subscribe(scene.client({ apikey: API_KEY }, {}, scene.ownApp), 'private-loja-centro');
  });

  test('who somebody is on a presence channel, the client says', async () => {
    await scene.start({ PUSHER_CHANNEL_PREFIX: 'presence-' });
    const answer = await form(
      { socket_id: '1.2', channel_name: 'presence-a', user_id: 'ann', user_info: '{"name":"Ann"}' },
      { apikey: API_KEY },
    );
    const { channel_data } = (await answer.json()) as { channel_data: string };
    expect(JSON.parse(channel_data)).toEqual({ user_id: 'ann', user_info: { name: 'Ann' } });
  });

  test("a user of a token is that instance's user, whatever it calls itself", async () => {
    await scene.start();
    await setToken();
    const ann = scene.client({ apikey: TOKEN });
    ann.signin();
    await ann.user.signinDonePromise;
    expect(ann.user.user_data).toMatchObject({ id: 'loja-centro/ann' });
  });

  describe('with a hook', () => {
    const ask = (headers: Record<string, string> = { authorization: 'Bearer of-a-page' }) =>
      form({ socket_id: '1.2', channel_name: 'presence-loja-centro', tenant: '7' }, headers);
    beforeEach(() =>
      scene.start({
        PUSHER_AUTH_HOOK_URL: `${scene.hook.url}/decide?x=1`,
        PUSHER_CHANNEL_PREFIX: 'presence-',
      }),
    );

    test('it decides about clients without a key, and says who they are', async () => {
      scene.hook.answer = respond(200, {}, JSON.stringify({ user_id: 7, user_info: { name: 'Ann' } }));
      const answer = await ask();
      const { channel_data } = (await answer.json()) as { channel_data: string };
      expect(JSON.parse(channel_data)).toEqual({ user_id: '7', user_info: { name: 'Ann' } });
      const [request] = scene.hook.received.all;
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
      scene.hook.answer = respond(status);
      expect((await ask()).status).toBe(expected);
    });

    const times = async (count: number, ask: () => Promise<Response>): Promise<number[]> =>
      (await Promise.all(Array.from({ length: count }, ask))).map(({ status }) => status);

    test('500 questions of one address are few calls of it (finding 5.6)', async () => {
      scene.hook.answer = respond(200);
      const startedAt = performance.now();
      const statuses = await times(500, () => ask());
      const seconds = (performance.now() - startedAt) / 1000;
      expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(20);
      // A burst of 60, and five in each second that they took.
      expect(scene.hook.received.all.length).toBeLessThanOrEqual(70 + 5 * seconds);
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
      expect(scene.hook.received.all).toHaveLength(0);
    });

    test('users that it names are not those of an instance (finding 5.6)', async () => {
      scene.hook.answer = respond(200, {}, JSON.stringify({ user_id: 'loja-centro/ann' }));
      const answer = await fetch(`${scene.gateway.url}/pusher/user-auth`, {
        method: 'POST',
        body: new URLSearchParams({ socket_id: '1.2' }),
      });
      const { user_data } = (await answer.json()) as { user_data: string };
      expect(JSON.parse(user_data)).toEqual({ id: 'loja-centro%2Fann' });
    });

    test('a wrong key is refused without asking it', async () => {
      expect((await ask({ apikey: 'wrong' })).status).toBe(401);
      expect(scene.hook.received.all).toHaveLength(0);
    });
  });
});
