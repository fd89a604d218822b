import { SILENT } from '../../../src/observability/logging';
import { connectRedis } from '../../../src/redis/client';
import { RedisHealth } from '../../../src/redis/redis-health';
import { redisConfig } from '../values/redis-config';

/** The health of a Redis in which nothing is counted, as a process has it; it has begun. */
export function watchRedis(uri: string, prefix: string): { health: RedisHealth; stop: () => Promise<void> } {
  const redis = connectRedis(redisConfig(uri, prefix), 'commands', () => {});
  const health = new RedisHealth({
    redis,
    prefix,
    log: SILENT,
    counts: async () => ({}),
    onStoreLost: () => {},
    onStoreNewer: () => {},
  });
  health.start();
  const stop = async (): Promise<void> => {
    await health.stop();
    redis.disconnect();
  };
  return { health, stop };
}
