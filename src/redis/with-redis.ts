import { once } from 'node:events';
import type { RedisConfig } from '../config/redis';
import { explainError, StoreUnavailableError } from '../errors';
import { connectRedis } from './client';
import type { RelayRedis } from './relay-redis';
import { isReplyError, whyNot } from './reply-error';
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
      throw new StoreUnavailableError(
        `Redis cannot be reached (${reasonOf(lastError)}): check ${suspects(config)}`,
        {
          cause: lastError,
        },
      );
    });
    await checkStoreVersion(redis, config.prefix);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Neither side says that the other one speaks TLS, or does not: it only goes silent, or ends the connection. */
function suspects({ uri, clusterNodes, sentinels }: RedisConfig): string {
  if (clusterNodes.length > 0) return 'REDIS_CLUSTER_NODES, which must be nodes of a Cluster, and REDIS_URI';
  if (sentinels.length > 0) return 'REDIS_SENTINELS, REDIS_SENTINEL_NAME, and REDIS_URI';
  return uri.startsWith('rediss:')
    ? 'REDIS_URI (rediss:// is for a port that speaks TLS, redis:// for one that does not)'
    : 'REDIS_URI (rediss:// where that port speaks TLS)';
}

function reasonOf(error: unknown): string {
  if (error === undefined) return 'no answer; it may still be loading';
  return isReplyError(error) ? whyNot(error) : explainError(error);
}
