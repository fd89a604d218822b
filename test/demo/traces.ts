import { Redis } from 'ioredis';

const CONNECT_TIMEOUT_MS = 5_000;
const SCAN_COUNT = 1_000;

/** Deletes every key whose prefix in braces begins so. */
export async function removeKeys(redisUri: string, prefixes: string): Promise<void> {
  const redis = new Redis(redisUri, {
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => {});
  try {
    for await (const keys of redis.scanStream({ match: `{${prefixes}*}:*`, count: SCAN_COUNT })) {
      if (keys.length > 0) await redis.unlink(keys);
    }
  } finally {
    redis.disconnect();
  }
}
