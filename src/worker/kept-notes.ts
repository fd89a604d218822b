import type { RedisClient } from '../redis/scripts';
import type { KeptNotes } from '../sources/source-module';

/** Notes of sources, as a hash in Redis. */
export function keptNotes(redis: RedisClient, prefix: string, name: string): KeptNotes {
  const key = `{${prefix}}:notes:${name}`;
  return {
    all: async () => new Map(Object.entries(await redis.hgetall(key))),
    set: async (notes) => void (await redis.hset(key, new Map(notes))),
    remove: async (note) => void (await redis.hdel(key, note)),
  };
}
