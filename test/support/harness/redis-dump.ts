import type { Redis } from 'ioredis';

/** What lies under these keys, as one text. */
export async function dumpOf(redis: Redis, keys: readonly string[]): Promise<string> {
  const parts: unknown[] = [];
  for (const key of keys) {
    const read: Record<string, () => Promise<unknown>> = {
      hash: () => redis.hgetall(key),
      list: () => redis.lrange(key, 0, -1),
      zset: () => redis.zrange(key, '0', '-1'),
      stream: () => redis.xrange(key, '-', '+'),
      string: () => redis.get(key),
    };
    parts.push(key, await read[await redis.type(key)]?.());
  }
  return JSON.stringify(parts);
}
