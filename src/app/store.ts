import type { RedisConfig } from '../config/config';
import { errorCode, StoreUnavailableError } from '../errors';
import { RetryStore } from '../retry/store';
import { connectRedis } from './redis';

const CONNECT_MS = 10_000;

/**
 * Opens the store for one command, and closes it again.
 *
 * @throws StoreUnavailableError when Redis cannot be reached within ten seconds
 */
export async function withStore<T>(config: RedisConfig, work: (store: RetryStore) => Promise<T>): Promise<T> {
  let lastError: unknown;
  const redis = connectRedis(config, 'commands', (error) => {
    lastError = error;
  });
  const store = new RetryStore({ redis, prefix: config.prefix, onError: () => {} });
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StoreUnavailableError(`Redis cannot be reached (${errorCode(lastError)}): check REDIS_URI`, {
          cause: lastError,
        }),
      );
    }, CONNECT_MS);
  });
  try {
    await Promise.race([store.waitUntilReady(), timeUp]);
    return await work(store);
  } finally {
    clearTimeout(timer);
    redis.disconnect();
    await store.close().catch(() => {});
  }
}
