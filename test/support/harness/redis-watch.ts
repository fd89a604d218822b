import { type Logger, SILENT } from '../../../src/observability/logging';
import { connectRedis } from '../../../src/redis/client';
import { RedisHealth } from '../../../src/redis/redis-health';
import { redisConfig } from '../values/redis-config';

interface Watched {
  /** What lies in it; left out, nothing is counted. */
  readonly counts?: () => Promise<Readonly<Record<string, number>>>;
  readonly log?: Logger;
}

/** The health of a Redis, as a process has it; it has begun. */
export function watchRedis(
  uri: string,
  prefix: string,
  { counts = async () => ({}), log = SILENT }: Watched = {},
): { health: RedisHealth; stop: () => Promise<void> } {
  const redis = connectRedis(redisConfig(uri, prefix), 'commands', () => {});
  const health = new RedisHealth({
    redis,
    prefix,
    log,
    counts,
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
