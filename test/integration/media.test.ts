import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ReferenceStore } from '../../src/references/reference-store';
import { API_KEY, errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { HttpTarget } from '../support/servers/http-target';
import { eventBody } from '../support/values/events';
import { nth } from '../support/values/items';
import { storedMedia } from '../support/values/stored-media';

jest.setTimeout(120_000);

const BASE_URL = 'https://relay.example.test/base';
const TTL_SECONDS = 100;

describe('GET /media/:id', () => {
  let gateway: GatewayHarness;
  let redis: Redis;
  const bytes = randomBytes(5000);
  beforeAll(async () => {
    gateway = await GatewayHarness.start();
    redis = gateway.connectRedis();
  });
  afterAll(async () => {
    redis.disconnect();
    await gateway.close();
  });

  async function link(mimetype: string, id = 'media_1', path: 'media' | 'events' = 'media'): Promise<string> {
    const store = new ReferenceStore({
      redis,
      prefix: gateway.prefix,
      ttlSeconds: TTL_SECONDS,
      maxBytes: 1e6,
    });
    const { url } = await store.keep(
      { id, owner: 'loja', body: storedMedia({ mimetype, bytes }) },
      { baseUrl: BASE_URL, path },
    );
    return url.slice(BASE_URL.length);
  }
  async function get(path: string, headers: Record<string, string> = {}) {
    const answer = await fetch(gateway.url + path, { headers });
    return { answer, body: Buffer.from(await answer.arrayBuffer()) };
  }

  test('serves the bytes with their type, without a key, as nothing that can act in the name of the gateway', async () => {
    const { answer, body } = await get(await link('image/png'));
    expect([answer.status, body.equals(bytes)]).toEqual([200, true]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-disposition': 'inline',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'content-length': '5000',
    });
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml']) {
      const page = await get(await link(type, `media_${type.replace(/\W/g, '')}`));
      expect(page.answer.headers.get('content-disposition')).toBe('attachment');
    }
  });

  test('serves parts of it', async () => {
    const path = await link('video/mp4');
    const part = await get(path, { range: 'bytes=100-199' });
    expect([part.answer.status, part.answer.headers.get('content-range')]).toEqual([
      206,
      'bytes 100-199/5000',
    ]);
    expect(part.body.equals(bytes.subarray(100, 200))).toBe(true);
    const none = await get(path, { range: 'bytes=5000-' });
    expect([none.answer.status, none.answer.headers.get('content-range')]).toEqual([416, 'bytes */5000']);
  });

  test('a link opens its own media only, and nothing else', async () => {
    const path = await link('image/png');
    const status = async (each: string): Promise<number> => (await get(each)).answer.status;
    expect(await status(path.replace('media_1', 'media_2'))).toBe(403);
    expect(await status(path.replace(/expires=\d+/, 'expires=9999999999'))).toBe(403);
    expect(await status('/media/media_1')).toBe(403);
    const ofEvent = await link('image/png', 'dlv_1', 'events');
    expect(await status(ofEvent.replace('/events/', '/media/'))).toBe(403);
    await redis.del(`{${gateway.prefix}}:references:media:media_1`);
    const gone = await gateway.ask('GET', path, { key: null });
    expect([gone.status, gone.body]).toEqual([404, errorShape(404, 'Not Found')]);
  });

  test('is asked for when it is set: without an address of the gateway media stays base64, and that is said', async () => {
    const body = {
      webhook: { enabled: true, url: 'https://example.com/x', events: [], normalise: { media: 'link' } },
    };
    const { status, text } = await gateway.ask('POST', '/webhook/set/loja', { body });
    expect([status, text]).toEqual([
      201,
      expect.stringContaining('webhook.normalise.media: GATEWAY_URL is not set'),
    ]);
    const wrong = { webhook: { ...body.webhook, normalise: { media: 'inline' } } };
    expect((await gateway.ask('POST', '/webhook/set/loja', { body: wrong })).status).toBe(400);
  });
});

test('normalise.media: a webhook receives a link in place of base64, and what it leads to', async () => {
  const [asking, plain] = [await HttpTarget.start(), await HttpTarget.start()];
  const scenario = await Scenario.start({
    env: {
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      AUTHENTICATION_API_KEY: API_KEY,
      GATEWAY_URL: BASE_URL,
    },
  });
  try {
    const webhook = { url: asking.url, normalise: { media: 'link', lid: true } };
    const settings = JSON.stringify({ webhook, webhooks: { plain: { url: plain.url, base64: true } } });
    expect((await scenario.command('settings', 'set', 'loja', settings)).code).toBe(0);
    const relay = await scenario.startBoth();
    const bytes = randomBytes(20_000);
    const message = { imageMessage: { mimetype: 'image/webp' }, base64: bytes.toString('base64') };
    const body = (): Buffer => eventBody(1, { instance: 'loja', data: { key: { id: 'a' }, message } });
    await scenario.publishEvents([{ key: 'a', routingKey: 'messages.upsert', body }]);
    const dataOf = async (target: HttpTarget): Promise<Record<string, unknown>> => {
      const received = nth(await target.received.count(1), 0).body.toString();
      return (JSON.parse(received) as { data: Record<string, unknown> }).data;
    };
    expect(await dataOf(plain)).toEqual({ key: { id: 'a' }, message });
    const { message: linked } = (await dataOf(asking)) as { message: { mediaLink: { url: string } } };
    expect(linked).toEqual({
      imageMessage: message.imageMessage,
      mediaLink: {
        url: expect.stringContaining(`${BASE_URL}/media/media_`),
        mimetype: 'image/webp',
        bytes: bytes.length,
        expires: expect.any(String),
      },
    });
    const path = linked.mediaLink.url.slice(BASE_URL.length);
    const answer = await fetch(`http://127.0.0.1:${relay.gatewayPort}${path}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/webp']);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
    await scenario.stopWorkers();
  } finally {
    await Promise.all([asking.stop(), plain.stop()]);
    await scenario.close();
  }
});
