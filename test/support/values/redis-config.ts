import type { RedisConfig } from '../../../src/config/redis';

/** One server at an address, and everything else as it is by default. */
export function redisConfig(uri: string, prefix: string, others: Partial<RedisConfig> = {}): RedisConfig {
  const nothing = {
    clusterNodes: [],
    sentinels: [],
    sentinelName: '',
    sentinelPassword: '',
    waitReplicas: 0,
  };
  return { uri, prefix, ...nothing, ...others };
}
