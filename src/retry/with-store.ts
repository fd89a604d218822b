import type { RedisConfig } from '../config/redis';
import { withRedis } from '../redis/with-redis';
import { RetryStore } from './retry-store';

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
