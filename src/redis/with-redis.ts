import { once } from 'node:events';
import type { RedisConfig } from '../config/redis';
import { explainError, StoreUnavailableError } from '../errors';
import { connectRedis } from './client';
import type { RelayRedis } from './relay-redis';
import { checkStoreVersion } from './store-version';

const CONNECT_MS = 10_000;

/**
 * Opens a connection to Redis for one command, and closes it again.
 *
 * @throws StoreUnavailableError when it cannot be reached within ten seconds, or a later version of the relay stored what it holds
 */
export async function withRedis<T>(config: RedisConfig, work: (redis: RelayRedis) => Promise<T>): Promise<T> {
  let lastError: unknown;
  const redis = connectRedis(config, 'commands', (error) => {
    lastError = error;
  });
  try {
    await once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) }).catch(() => {
      throw new StoreUnavailableError(`Redis cannot be reached (${reasonOf(lastError)}): check REDIS_URI`, {
        cause: lastError,
      });
    });
    await checkStoreVersion(redis, config.prefix);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

function reasonOf(error: unknown): string {
  return error === undefined ? 'no answer; it may still be loading' : explainError(error);
}
