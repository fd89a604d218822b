import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { compress } from '../../src/events/compression';
import { PIECE_BYTES } from '../../src/references/pieces';
import { ReferenceReader } from '../../src/references/reference-reader';
import { ReferenceStore } from '../../src/references/reference-store';
import { storedMedia } from '../support/values/stored-media';

jest.setTimeout(120_000);

const BASE_URL = 'https://relay.example.test';
const MAX_BYTES = 1_000_000;
const TTL_SECONDS = 1000;

let redis: Redis;
let prefix: string;
beforeEach(() => {
  redis = new Redis(process.env['REDIS_URI'] ?? '');
  prefix = `references-${randomBytes(6).toString('hex')}`;
});
afterEach(() => redis.disconnect());

function store(others: Partial<{ maxBytes: number; ttlSeconds: number }> = {}): ReferenceStore {
  return new ReferenceStore({ redis, prefix, ttlSeconds: TTL_SECONDS, maxBytes: MAX_BYTES, ...others });
}
function keep(owner: string, id: string, bytes: number, by = store()): Promise<unknown> {
  const body = storedMedia({ mimetype: 'image/png', bytes: randomBytes(bytes) });
  return by.keep({ id: `media_${id}`, owner, body }, { baseUrl: BASE_URL, path: 'media' });
}
async function keepMany(owner: string, count: number, bytes: number): Promise<void> {
  const by = store();
  for (let number = 0; number < count; number += 100)
    await Promise.all(
      Array.from({ length: Math.min(100, count - number) }, (_, each) =>
        keep(owner, `${owner}_${number + each}`, bytes, by),
      ),
    );
}
async function keptOf(owner: string): Promise<string[]> {
  const keys = await redis.keys(`{${prefix}}:references:media:media_${owner}_*`);
  return keys.map((key) => key.split(`media_${owner}_`)[1] ?? '');
}
const bytesOf = async (owner: string): Promise<number> =>
  Number((await redis.zscore(`{${prefix}}:references:owners`, owner)) ?? 0);
const total = async (): Promise<number> => Number(await redis.hget(`{${prefix}}:references:kept`, '*'));

describe('what instances keep behind links', () => {
  test('one with 10,000 media pushes out no medium of another one, nor an event that was too large for Pusher', async () => {
    await keep('loja', 'loja_0', 20_000);
    const event = { id: 'dlv_flooded', owner: 'loja', body: randomBytes(10_000) };
    await store().keep(event, { baseUrl: BASE_URL, path: 'events' });
    await keepMany('flood', 10_000, 1000);
    expect(await keptOf('loja')).toEqual(['0']);
    expect(await new ReferenceReader({ redis, prefix }).event('dlv_flooded')).toEqual(event.body);
    expect(await total()).toBeLessThanOrEqual(MAX_BYTES);
    expect((await keptOf('flood')).length).toBeGreaterThan(500);
  });

  test('one alone has all the room, and loses its oldest first', async () => {
    await keepMany('loja', 200, 10_000);
    const kept = await keptOf('loja');
    expect(kept.map(Number).sort((a, b) => a - b)[0]).toBeGreaterThan(90);
    expect(await bytesOf('loja')).toBeGreaterThan(MAX_BYTES - 11_000);
  });

  test('whoever holds most makes room, until all hold the same', async () => {
    await keepMany('first', 100, 10_000);
    await keepMany('second', 100, 10_000);
    await keepMany('third', 100, 10_000);
    for (const owner of ['first', 'second', 'third'])
      expect(Math.abs((await bytesOf(owner)) - MAX_BYTES / 3)).toBeLessThan(25_000);
  });

  test('what would be more than others have together with it is refused; what is small always has a place', async () => {
    for (let number = 0; number < 50; number++) await keepMany(`owner-${number}`, 2, 9_400);
    await expect(keep('giant', 'giant_0', 500_000)).rejects.toMatchObject({ code: 'REFERENCE_TOO_LARGE' });
    await keep('new', 'new_0', 60_000);
    expect(await keptOf('new')).toEqual(['0']);
    await expect(keep('giant', 'giant_0', MAX_BYTES)).rejects.toMatchObject({ code: 'REFERENCE_TOO_LARGE' });
  });

  test('much that is small makes room for what is large, in steps', async () => {
    const large = store({ maxBytes: 4_000_000 });
    for (let number = 0; number < 50; number++)
      await Promise.all(
        Array.from({ length: 100 }, (_, each) => keep('loja', `loja_${number * 100 + each}`, 100, large)),
      );
    await keep('loja', 'loja_large', 3_000_000, large);
    expect(await keptOf('loja')).toContain('large');
    expect(await total()).toBeLessThanOrEqual(4_000_000);
  });

  test('what is kept again counts once, and everything that is noted expires', async () => {
    await redis.hset(`{${prefix}}:references:sizes`, '*', 5);
    await keep('loja', 'loja_0', 1000);
    const once = await total();
    await keep('loja', 'loja_0', 1000);
    expect([await total(), await bytesOf('loja')]).toEqual([once, once]);
    for (const key of await redis.keys(`{${prefix}}:references:*`))
      if (!key.endsWith(':secret')) expect([key, (await redis.pttl(key)) > 0]).toEqual([key, true]);
  });

  test('what is kept twice at once counts once, also where it is there already', async () => {
    const by = store();
    const twice = (): Promise<unknown> =>
      Promise.all([keep('loja', 'loja_0', 1000, by), keep('loja', 'loja_0', 1000, by)]);
    await twice();
    const once = await total();
    await twice();
    expect([await total(), await bytesOf('loja')]).toEqual([once, once]);
  });

  /** As if it was dropped before it is noted. */
  function dropAsStored(times: number): jest.SpyInstance {
    const set = redis.set.bind(redis) as (...call: unknown[]) => Promise<'OK'>;
    let left = times;
    return jest.spyOn(redis, 'set').mockImplementation(async (...call: unknown[]) => {
      const isDropped = !String(call[0]).endsWith(':secret') && left-- > 0;
      return isDropped ? 'OK' : set(...call);
    });
  }

  test('what another worker made room with while it was kept again is put there again', async () => {
    const stored = dropAsStored(1);
    await keep('loja', 'loja_0', 1000);
    expect(stored.mock.calls.map(([key]) => String(key).split(':').pop())).toEqual([
      'secret',
      'media_loja_0',
      'media_loja_0',
    ]);
    expect(await keptOf('loja')).toEqual(['0']);
  });

  test('what a Redis that evicts drops each time is refused, instead of being put there for ever', async () => {
    const stored = dropAsStored(Number.POSITIVE_INFINITY);
    await expect(keep('loja', 'loja_0', 1000)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(stored.mock.calls.length).toBeLessThan(10);
  });

  test('what has expired counts no more', async () => {
    await keep('loja', 'loja_0', 500_000, store({ ttlSeconds: 1 }));
    await redis.zadd(`{${prefix}}:references:until`, 1, 'media:media_loja_0');
    await keep('new', 'new_0', 1000);
    expect([await bytesOf('loja'), await bytesOf('new')]).toEqual([0, await total()]);
  });
});

describe('media behind a link', () => {
  const reader = (): ReferenceReader => new ReferenceReader({ redis, prefix });
  async function read(id: string, range?: readonly [number, number]): Promise<Buffer> {
    const media = await reader().media(id);
    if (media === undefined || media === 'busy') throw new Error('it is not there');
    const [first, last] = range ?? [0, media.length - 1];
    const pieces: Buffer[] = [];
    for await (const piece of media.bytes(first, last)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  test('is read to the byte, whole and in parts, of which only what is asked for is read', async () => {
    const bytes = randomBytes(5 * PIECE_BYTES + 17);
    const body = storedMedia({ mimetype: 'video/mp4', bytes });
    const large = store({ maxBytes: 10 * MAX_BYTES });
    await large.keep({ id: 'media_1', owner: 'loja', body }, { baseUrl: BASE_URL, path: 'media' });
    expect((await read('media_1')).equals(bytes)).toBe(true);
    const asked: number[] = [];
    const getrange = redis.getrangeBuffer.bind(redis);
    jest.spyOn(redis, 'getrangeBuffer').mockImplementation((key, start, end) => {
      asked.push(Number(start) / PIECE_BYTES);
      return getrange(key, start, end);
    });
    for (const [first, last] of [
      [0, 0],
      [PIECE_BYTES - 12, PIECE_BYTES],
      [3 * PIECE_BYTES + 5, 4 * PIECE_BYTES + 5],
      [bytes.length - 1, bytes.length - 1],
    ] as const)
      expect((await read('media_1', [first, last])).equals(bytes.subarray(first, last + 1))).toBe(true);
    expect(asked).toEqual([0, 0, 1, 0, 3, 4, 0, 5]);
  });

  test('that 1.0.0 kept is read, too', async () => {
    const media = { mimetype: 'audio/ogg; codecs=opus', bytes: randomBytes(200_000) };
    await redis.set(`{${prefix}}:references:event:media_1`, await compress(storedMedia(media)));
    expect((await read('media_1')).equals(media.bytes)).toBe(true);
    expect((await read('media_1', [100, 199])).equals(media.bytes.subarray(100, 200))).toBe(true);
    expect(await reader().media('media_1')).toMatchObject({ mimetype: media.mimetype, length: 200_000 });
  });
});
