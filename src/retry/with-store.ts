import type { RedisConfig } from '../config/redis';
import { StoreUnavailableError } from '../errors';
import type { RelayRedis } from '../redis/relay-redis';
import { withRedis } from '../redis/with-redis';
import { within } from '../time/within';
import { RetryStore } from './retry-store';

const ANSWER_MS = 10_000;

/** Opens the store of parked deliveries for one command, and closes it again. */
export function withStore<T>(
  config: RedisConfig,
  work: (store: RetryStore, redis: RelayRedis) => Promise<T>,
): Promise<T> {
  return withRedis(config, async (redis) => {
    const store = new RetryStore({ redis, prefix: config.prefix, onError: () => {} });
    try {
      await within(
        store.waitUntilReady(),
        ANSWER_MS,
        () => new StoreUnavailableError('Redis does not answer'),
      );
      return await work(store, redis);
    } finally {
      await store.close().catch(() => {});
    }
  });
}
