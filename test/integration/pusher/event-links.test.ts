import { randomBytes } from 'node:crypto';
import { ReferenceStore } from '../../../src/references/reference-store';
import { GatewayScene } from '../../support/pusher/gateway-scene';
import { Happenings } from '../../support/signals/signals';

jest.setTimeout(60_000);

let scene: GatewayScene;
beforeEach(async () => {
  scene = await GatewayScene.open();
});
afterEach(() => scene.close());

describe('events behind links', () => {
  const BASE_URL = 'https://relay.example.test/base/';
  const BASE = { baseUrl: BASE_URL, path: 'events' } as const;
  const store = (others: Partial<{ ttlSeconds: number; maxBytes: number }> = {}) =>
    new ReferenceStore({
      redis: scene.gateway.redis,
      prefix: scene.gateway.prefix,
      ttlSeconds: 100,
      maxBytes: 1_000_000,
      ...others,
    });
  const pathOf = (url: string) => url.slice(BASE_URL.length - 1);

  test('are served whole, to a page of any origin, without a key', async () => {
    await scene.start();
    const body = Buffer.from(JSON.stringify({ event: 'messages.set', data: 'olá '.repeat(50_000) }));
    const { url, expires } = await store().keep({ id: 'dlv_1', owner: 'loja', body }, BASE);
    expect(url.startsWith('https://relay.example.test/base/events/dlv_1?')).toBe(true);
    expect(expires).toBeGreaterThan(Date.now() / 1000 + 98);
    const answer = await scene.gateway.get(pathOf(url), { origin: 'https://page.example.test' });
    expect(answer.headers.get('access-control-allow-origin')).toMatch(/\*|page\.example/);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
    const [key] = await scene.gateway.redis.keys(`*references:event:dlv_1`);
    expect(await scene.gateway.redis.strlen(key ?? '')).toBeLessThan(5000);
    expect(await scene.gateway.redis.ttl(key ?? '')).toBeGreaterThan(90);
  });

  test('a link opens its own event only', async () => {
    await scene.start();
    const { url } = await store().keep({ id: 'dlv_1', owner: 'loja', body: Buffer.from('{}') }, BASE);
    await store().keep({ id: 'dlv_2', owner: 'loja', body: Buffer.from('{}') }, BASE);
    const status = async (path: string) => (await scene.gateway.get(path)).status;
    expect(await status(pathOf(url).replace('dlv_1', 'dlv_2'))).toBe(403);
    expect(await status(pathOf(url).replace(/expires=\d+/, 'expires=9999999999'))).toBe(403);
    expect(await status(`${pathOf(url)}x`)).toBe(403);
    expect(await status('/events/dlv_1')).toBe(403);
  });

  test('the oldest make room for new ones; one that could never fit is refused', async () => {
    await scene.start();
    const bounded = store({ maxBytes: 10_000 });
    const urls: string[] = [];
    const keep = (id: string, by = bounded) => by.keep({ id, owner: 'loja', body: randomBytes(3000) }, BASE);
    for (let n = 1; n <= 5; n++) urls.push((await keep(`dlv_${n}`)).url);
    const kept = new Happenings<number>();
    for (const url of urls) kept.add((await scene.gateway.get(pathOf(url))).status);
    expect(kept.all[0]).toBe(404);
    expect(kept.all[4]).toBe(200);
    const sizes = await scene.gateway.redis.hgetall(`{${scene.gateway.prefix}}:references:kept`);
    expect(Number(sizes['*'])).toBeLessThanOrEqual(10_000);
    await expect(keep('dlv_9', store({ maxBytes: 10 }))).rejects.toThrow('PUSHER_REFERENCE_MAX');
  });
});
