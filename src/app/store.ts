import { once } from 'node:events';
import type { Config } from '../config/config';
import type { RedisConfig } from '../config/redis';
import { explainError, StoreUnavailableError } from '../errors';
import type { RedisClient } from '../retry/scripts';
import { RetryStore } from '../retry/store';
import { SettingsCipher } from '../settings/cipher';
import { SettingsStore } from '../settings/store';
import { connectRedis } from './redis';

const CONNECT_MS = 10_000;

/** Opens the store of parked deliveries for one command, and closes it again. */
export function withStore<T>(config: RedisConfig, work: (store: RetryStore) => Promise<T>): Promise<T> {
  return withRedis(config, async (redis) => {
    const store = new RetryStore({ redis, prefix: config.prefix, onError: () => {} });
    try {
      await store.waitUntilReady();
      return await work(store);
    } finally {
      await store.close().catch(() => {});
    }
  });
}

/** Opens the settings of instances for one command, and closes them again. */
export function withSettings<T>(config: Config, work: (store: SettingsStore) => Promise<T>): Promise<T> {
  const cipher = new SettingsCipher(config.settings.encryptionKeys);
  const { prefix } = config.redis;
  return withRedis(config.redis, (redis) => work(new SettingsStore({ redis, prefix, cipher })));
}

function reasonOf(error: unknown): string {
  return error === undefined ? 'no answer; it may still be loading' : explainError(error);
}

/**
 * Opens a connection to Redis for one command, and closes it again.
 *
 * @throws StoreUnavailableError when it cannot be reached within ten seconds
 */
export async function withRedis<T>(
  config: RedisConfig,
  work: (redis: RedisClient) => Promise<T>,
): Promise<T> {
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
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
