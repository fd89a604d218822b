import type { Redis } from 'ioredis';

/** What one key holds, as text: bytes that are no text are marked. */
type Value =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'hash'; readonly value: Readonly<Record<string, string>> }
  | { readonly type: 'list' | 'set'; readonly value: readonly string[] }
  | { readonly type: 'zset'; readonly value: readonly (readonly [member: string, score: string])[] };

/** Every key of one prefix; in names and members the prefix is left out. */
export type RedisImage = Readonly<Record<string, Value>>;

type Scored = Buffer | number | readonly (Buffer | number)[];

const BYTES = 'base64:';

/** Keys that come and go with processes, or that a stream is made of, which no worker reads again. */
const PASSING = /:(?:lock|beat:.*|probe:.*|pulse:.*|websocket.*|stalled.*|marker|events)$/;

export async function takeImage(redis: Redis, prefix: string): Promise<RedisImage> {
  const image: Record<string, Value> = {};
  const keys = await redis.keys(`{${prefix}}:*`);
  for (const key of keys.sort()) {
    const name = key.slice(prefix.length + 2);
    if (PASSING.test(name)) continue;
    const value = await contentOf(redis, key);
    if (value !== undefined) image[name] = value;
  }
  return image;
}

export async function putImage(redis: Redis, prefix: string, image: RedisImage): Promise<void> {
  for (const [name, value] of Object.entries(image)) await put(redis, `{${prefix}}${name}`, value);
}

async function contentOf(redis: Redis, key: string): Promise<Value | undefined> {
  const type = await redis.type(key);
  if (type === 'string') return { type, value: textOf(await redis.getBuffer(key)) };
  if (type === 'list') return { type, value: (await redis.lrangeBuffer(key, 0, -1)).map(textOf) };
  if (type === 'set') return { type, value: (await redis.smembersBuffer(key)).map(textOf).sort() };
  if (type === 'zset') {
    // In pairs, and scores as numbers, where the connection speaks RESP3.
    const answer = (await redis.callBuffer('ZRANGE', key, '0', '-1', 'WITHSCORES')) as Scored[];
    const flat = answer.flat().map((item) => (typeof item === 'number' ? String(item) : textOf(item)));
    return { type, value: pairsOf(flat) };
  }
  if (type !== 'hash') return undefined;
  const fields = Object.entries(await redis.hgetallBuffer(key));
  const entries = fields.map(([field, item]) => [field, textOf(item)] as const);
  return { type, value: Object.fromEntries(entries.sort()) };
}

async function put(redis: Redis, key: string, { type, value }: Value): Promise<void> {
  if (type === 'string') await redis.set(key, bytesOf(value));
  else if (type === 'list') await redis.rpush(key, ...value.map(bytesOf));
  else if (type === 'set') await redis.sadd(key, ...value.map(bytesOf));
  else if (type === 'zset')
    for (const [member, score] of value) await redis.zadd(key, score, bytesOf(member));
  else for (const [field, item] of Object.entries(value)) await redis.hset(key, field, bytesOf(item));
}

function pairsOf(flat: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < flat.length; index += 2) pairs.push([flat[index] ?? '', flat[index + 1] ?? '']);
  return pairs;
}

function textOf(bytes: Buffer | null): string {
  const given = bytes ?? Buffer.alloc(0);
  const text = given.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(given) && !text.startsWith(BYTES);
  return isText ? text : `${BYTES}${given.toString('base64')}`;
}

function bytesOf(text: string): Buffer {
  return text.startsWith(BYTES) ? Buffer.from(text.slice(BYTES.length), 'base64') : Buffer.from(text, 'utf8');
}
