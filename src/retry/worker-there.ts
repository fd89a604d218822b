import { fromStore } from '../errors';
import type { RedisClient } from '../redis/scripts';
import { GONE_MS } from './presence';

/** Whether some worker has said that it is there, and is not given up on, by the clock of Redis. */
export async function isWorkerThere(redis: RedisClient, prefix: string): Promise<boolean> {
  const [, at] = await fromStore(redis.zrevrange(`{${prefix}}:present`, 0, 0, 'WITHSCORES'));
  const [seconds] = await fromStore(redis.time());
  return at !== undefined && Number(at) > Number(seconds) * 1000 - GONE_MS;
}
