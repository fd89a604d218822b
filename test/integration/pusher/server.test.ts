import Pusher from 'pusher';
import type PusherClient from 'pusher-js';
import type { Options } from 'pusher-js';
import { connectClient, subscribe } from '../../support/pusher/client';
import type { PusherApp } from '../../support/pusher/rules';
import { PusherServer } from '../../support/pusher/server';
import { hmac } from '../../support/pusher/signature';
import { HttpTarget } from '../../support/servers/http-target';
import { Happenings, within } from '../../support/signals/signals';

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

describe('the test server against the real libraries', () => {
  let app: PusherApp;
  let server: PusherServer;
  let pusher: Pusher;
  let clients: PusherClient[];
  beforeEach(async () => {
    app = { id: '1234567', key: 'key-1', secret: 'secret-1' };
    server = await PusherServer.start([app]);
    pusher = publisher();
    clients = [];
  });
  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  function publisher(others: Readonly<{ secret?: string; key?: string; appId?: string }> = {}): Pusher {
    return new Pusher({
      appId: app.id,
      key: app.key,
      secret: app.secret,
      host: '127.0.0.1',
      port: String(server.port),
      encryptionMasterKeyBase64: MASTER_KEY,
      ...others,
    });
  }

  function client(options: Partial<Options> = {}): PusherClient {
    const created = connectClient(server, app, options);
    clients.push(created);
    return created;
  }

  /** Signs subscriptions as an application's server does. */
  function signing(userId: string): Partial<Options> {
    return {
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, callback) => {
          const data = { user_id: userId, user_info: { name: userId } };
          const isPresence = channelName.startsWith('presence-');
          callback(null, pusher.authorizeChannel(socketId, channelName, isPresence ? data : undefined));
        },
      } as NonNullable<Options['channelAuthorization']>,
    };
  }

  async function refused(promise: Promise<unknown>): Promise<{ status: number; body: string }> {
    const error: unknown = await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof Pusher.RequestError)) throw new Error('it was not refused');
    return { status: error.status ?? 0, body: error.body ?? '' };
  }

  test('what is triggered, alone or in a batch, arrives in order as it was', async () => {
    const channel = await subscribe(client(), 'loja-centro');
    const seen = new Happenings<unknown>();
    channel.bind_global((event: string, data: unknown) => seen.add([event, data]));
    await pusher.trigger('loja-centro', 'messages.upsert', { text: 'olá' });
    const batch = [1, 2].map((n) => ({ channel: 'loja-centro', name: 'call', data: { n } }));
    expect((await pusher.triggerBatch(batch)).status).toBe(200);
    await seen.count(3);
    expect(seen.all).toEqual([
      ['messages.upsert', { text: 'olá' }],
      ['call', { n: 1 }],
      ['call', { n: 2 }],
    ]);
  });

  test.each([
    ['a wrong secret', { secret: 'wrong' }, 401, 'Invalid signature'],
    ['an unknown key', { key: 'wrong' }, 401, 'Unknown auth_key'],
    ['an app of another cluster', { appId: '9' }, 404, 'does not exist'],
  ])('%s is refused as Pusher does', async (_what, others, status, text) => {
    const refusal = await refused(publisher(others).trigger('a', 'b', {}));
    expect(refusal).toEqual({ status, body: expect.stringContaining(text) });
    expect(server.published.all).toEqual([]);
  });

  test('a clock that is off by more than ten minutes is refused', async () => {
    server.skewSeconds = 590;
    await pusher.trigger('a', 'b', {});
    server.skewSeconds = 610;
    expect(await refused(pusher.trigger('a', 'b', {}))).toMatchObject({ status: 401 });
  });

  test('a body that is not the signed one is refused', async () => {
    const path = '/apps/1234567/events';
    const body = JSON.stringify({ name: 'a', channel: 'b', data: '{}' });
    const query = pusher.createSignedQueryString({ method: 'POST', path, body });
    const post = (sent: string) =>
      fetch(`http://127.0.0.1:${server.port}${path}?${query}`, { method: 'POST', body: sent });
    expect((await post(body)).status).toBe(200);
    expect((await post(body.replace('"a"', '"c"'))).status).toBe(401);
  });

  test('one bad event spoils its batch: too large 413, a wrong name 400, more than ten 400', async () => {
    const good = { channel: 'a', name: 'b', data: '{}' };
    const send = (...events: Pusher.BatchEvent[]) => refused(pusher.triggerBatch(events));
    expect(await send(good, { ...good, data: 'x'.repeat(10_241) })).toMatchObject({ status: 413 });
    expect(await send(good, { ...good, channel: 'not this' })).toMatchObject({ status: 400 });
    expect(await send(good, { ...good, name: 'x'.repeat(201) })).toMatchObject({ status: 400 });
    expect(await send(...Array.from({ length: 11 }, () => ({ ...good })))).toMatchObject({ status: 400 });
    expect(server.published.all).toEqual([]);
    await pusher.triggerBatch([{ ...good, data: 'ã'.repeat(5120) }]);
    expect(server.published.all).toHaveLength(1);
  });

  test('disabled and over quota are 403', async () => {
    app.overQuota = true;
    expect(await refused(pusher.trigger('a', 'b', {}))).toMatchObject({ status: 403 });
    app.disabled = true;
    expect(await refused(pusher.get({ path: '/channels' }))).toMatchObject({ status: 403 });
  });

  test('private, presence and encrypted channels need a signature, and tell who is there', async () => {
    const [ann, ben] = [client(signing('ann')), client(signing('ben'))];
    const added = new Happenings<unknown>();
    const presence = await subscribe(ann, 'presence-loja');
    presence.bind('pusher:member_added', (member: unknown) => added.add(member));
    await subscribe(ben, 'presence-loja');
    expect(await added.count(1)).toEqual([{ id: 'ben', info: { name: 'ben' } }]);

    const seen = new Happenings<unknown>();
    (await subscribe(ann, 'private-encrypted-loja')).bind('call', (data: unknown) => seen.add(data));
    await pusher.trigger('private-encrypted-loja', 'call', { secret: 'olá' });
    expect(await seen.count(1)).toEqual([{ secret: 'olá' }]);
    expect(server.published.all[0]?.data).not.toContain('ol');

    const read = async (path: string, params = {}) => (await pusher.get({ path, params })).json();
    expect(await read('/channels/presence-loja/users')).toEqual({ users: [{ id: 'ann' }, { id: 'ben' }] });
    expect(await read('/channels/presence-loja')).toEqual({ occupied: true, user_count: 2 });
    expect(await read('/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({
      channels: { 'presence-loja': { user_count: 2 } },
    });
  });

  test('a wrong signature subscribes to nothing', async () => {
    pusher = publisher({ secret: 'wrong' });
    await expect(subscribe(client(signing('ann')), 'private-loja')).rejects.toThrow('Invalid signature');
    expect(server.occupied(app.id)).toEqual([]);
  });

  test('a client of an unknown key is told to look at the cluster', async () => {
    const stranger = connectClient(server, { ...app, key: 'unknown' });
    clients.push(stranger);
    const failed = new Promise<unknown>((resolve) => stranger.connection.bind('error', resolve));
    expect(JSON.stringify(await within(failed, 15_000, () => 'an error'))).toContain('4001');
  });

  test('a signed-in user gets what is sent to that user', async () => {
    const ann = client({
      userAuthentication: {
        customHandler: ({ socketId }: { socketId: string }, callback: (error: null, auth: unknown) => void) =>
          callback(null, pusher.authenticateUser(socketId, { id: 'ann' })),
      } as unknown as NonNullable<Options['userAuthentication']>,
    });
    const seen = new Happenings<unknown>();
    ann.user.bind('hello', (data: unknown) => seen.add(data));
    const signedIn = new Promise<void>((resolve) => ann.connection.bind('connected', () => resolve()));
    ann.signin();
    await within(signedIn, 15_000, () => 'connected');
    await within(ann.user.signinDonePromise, 15_000, () => 'signed in');
    await pusher.sendToUser('ann', 'hello', { n: 1 });
    expect(await seen.count(1)).toEqual([{ n: 1 }]);
  });

  test('client events reach the others, where the app allows them', async () => {
    app.clientEvents = true;
    const [ann, ben] = [client(signing('ann')), client(signing('ben'))];
    const seen = new Happenings<unknown>();
    (await subscribe(ann, 'private-loja')).bind('client-typing', (data: unknown) => seen.add(data));
    (await subscribe(ben, 'private-loja')).trigger('client-typing', { by: 'ben' });
    expect(await seen.count(1)).toEqual([{ by: 'ben' }]);
  });

  test('webhooks tell who comes and goes, signed as the library expects, again until they are taken', async () => {
    const target = await HttpTarget.start();
    app.webhookUrl = `${target.url}/hook`;
    let first = true;
    target.answer = (response) => {
      response.writeHead(first ? 503 : 200).end();
      first = false;
    };
    const ann = client();
    await subscribe(ann, 'loja');
    ann.unsubscribe('loja');
    await target.received.count(3);
    const events = target.received.all.map(({ headers, body }) => {
      const webhook = pusher.webhook({ headers, rawBody: body.toString('utf8') });
      expect(webhook.isValid()).toBe(true);
      expect(headers['x-pusher-signature']).toBe(hmac(app.secret, body));
      return webhook.getEvents();
    });
    const [occupied, vacated] = ['channel_occupied', 'channel_vacated'].map((name) => [
      { name, channel: 'loja' },
    ]);
    expect(events).toEqual([occupied, occupied, vacated]);
    await server.webhooks.idle();
    await target.stop();
  });
});
