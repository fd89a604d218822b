import { subscribe } from '../../support/pusher/client';
import { CREDENTIALS } from '../../support/pusher/destination';
import { API_KEY } from '../../support/pusher/gateway';
import { GatewayScene, OWN } from '../../support/pusher/gateway-scene';
import { hmac } from '../../support/pusher/signature';
import { eventually } from '../../support/signals/signals';

jest.setTimeout(60_000);

let scene: GatewayScene;
beforeEach(async () => {
  scene = await GatewayScene.open();
});
afterEach(() => scene.close());

describe("Pusher's own webhooks", () => {
  const counted = (event: string) => scene.gateway.metric(`relay_pusher_webhooks_total{event="${event}"}`);
  const send = (
    body: string,
    headers: Record<string, string> = {},
    path = `/pusher/webhook/${scene.app.id}`,
  ) =>
    scene.gateway.post(path, body, {
      'x-pusher-key': scene.app.key,
      'x-pusher-signature': hmac(scene.app.secret, body),
      ...headers,
    });
  const occupied = (channel: string, timeMs = Date.now()) =>
    JSON.stringify({ time_ms: timeMs, events: [{ name: 'channel_occupied', channel }] });

  test('are taken from the real thing, and counted', async () => {
    await scene.start();
    scene.app.webhookUrl = `${scene.gateway.url}/pusher/webhook/${scene.app.id}`;
    scene.app.clientEvents = true;
    const typing = scene.client({ apikey: API_KEY });
    const channel = await subscribe(typing, 'private-loja-centro');
    channel.trigger('client-typing', {});
    await eventually(async () => (await counted('client_event')) === 1 || undefined, 'a client event');
    typing.unsubscribe('private-loja-centro');
    await eventually(async () => (await counted('channel_vacated')) === 1 || undefined, 'vacated');
    expect(await counted('channel_occupied')).toBe(1);
  });

  test('sent again they change nothing', async () => {
    await scene.start();
    const body = occupied('private-a');
    for (let time = 0; time < 3; time++) expect((await send(body)).status).toBe(200);
    expect(await counted('channel_occupied')).toBe(1);
  });

  test('a clock that is hours off is no reason to refuse them', async () => {
    await scene.start();
    for (const hours of [-5, 5])
      expect((await send(occupied('a', Date.now() + hours * 3.6e6))).status).toBe(200);
  });

  test.each([
    ['a wrong signature', { 'x-pusher-signature': 'f'.repeat(64) }],
    ['a short signature', { 'x-pusher-signature': 'f' }],
    ['no signature', { 'x-pusher-signature': '' }],
    ['the key of another app', { 'x-pusher-key': OWN.key }],
  ])('with %s they are refused', async (_what, headers) => {
    await scene.start();
    expect((await send(occupied('a'), headers)).status).toBe(401);
    expect(await counted('channel_occupied')).toBe(0);
  });

  test('signed by another token of the app are taken where it is named: Pusher signs by the oldest one that is active', async () => {
    const [body, old] = [occupied('private-a'), { key: 'old-key', secret: 'old:secret' }];
    const signed = { 'x-pusher-key': old.key, 'x-pusher-signature': hmac(old.secret, body) };
    await scene.start();
    expect((await send(body, signed)).status).toBe(401);
    await scene.startAgain({ PUSHER_GLOBAL_WEBHOOK_TOKENS: `other:token, ${old.key}:${old.secret}` });
    expect((await send(body, signed)).status).toBe(200);
    expect((await send(body)).status).toBe(200);
    expect(await counted('channel_occupied')).toBe(2);
    const wrong = { ...signed, 'x-pusher-signature': hmac('another-secret', body) };
    expect((await send(body, wrong)).status).toBe(401);
    expect((await send(body, signed, `/pusher/webhook/${OWN.appId}`)).status).toBe(401);
  });

  test("of an instance's own app are taken; of an app that nobody has set they are not", async () => {
    await scene.start();
    const body = occupied('a');
    const signed = { 'x-pusher-key': OWN.key, 'x-pusher-signature': hmac(OWN.secret, body) };
    expect((await send(body, signed, '/pusher/webhook/99')).status).toBe(401);
    await scene.startAgain();
    await scene.setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
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
    return (await scene.gateway.post(`/pusher/webhook/${of.appId}`, body, signed)).status;
  };
  const GLOBAL = { appId: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
  const keys = async (): Promise<string[]> =>
    scene.gateway.redis.keys(`{${scene.gateway.prefix}}:occupancy:*`);
  const known = async (): Promise<string[]> =>
    (
      await Promise.all(
        (
          await keys()
        )
          .filter((key) => key.endsWith(':channels'))
          .map((key) => scene.gateway.redis.smembers(key)),
      )
    )
      .flat()
      .sort();

  test('where nobody asks for it nothing is kept (finding 1.7)', async () => {
    await scene.start();
    for (let index = 0; index < 5; index++) expect(await post(`private-${index}`, GLOBAL)).toBe(200);
    expect(await keys()).toEqual([]);
  });

  test('a tenant’s webhooks about channels that are none of its app’s are ignored, and leave nothing (finding 1.7)', async () => {
    await scene.start(SKIP);
    await scene.setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    for (let index = 0; index < 20; index++) expect(await post(`p-made-up-${index}`, OWN)).toBe(200);
    expect(await keys()).toEqual([]);
    expect(await post('p-loja-centro', OWN)).toBe(200);
    expect(await post('p-any', GLOBAL)).toBe(200);
    expect(await post('elsewhere', GLOBAL)).toBe(200);
    expect(await known()).toEqual(['p-any', 'p-loja-centro']);
    for (const key of await keys()) expect(await scene.gateway.redis.pttl(key)).toBeGreaterThan(0);
  });

  test('it goes with the last instance that has the app (finding 1.7)', async () => {
    await scene.start(SKIP);
    await scene.setSettings('loja-centro', { pusher: { ...OWN, enabled: true, useTLS: true, events: [] } });
    await post('p-loja-centro', OWN);
    await post('p-any', GLOBAL);
    const gone = await fetch(`${scene.gateway.url}/instance/delete/loja-centro`, {
      method: 'DELETE',
      headers: { apikey: API_KEY },
    });
    expect(gone.status).toBe(200);
    await eventually(async () => (await known()).join() === 'p-any' || undefined, 'forgotten', 60_000);
  }, 90_000);
});
