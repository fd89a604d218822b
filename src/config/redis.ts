import { hasImpossiblePort, POSSIBLE_PORT } from './formats';
import type { Reading } from './reading';
import { parseUrl } from './url';
import type { Values } from './variables';

export interface RedisConfig {
  /** Of one server; beside the lists below, what they do not tell: user, password, database, TLS. */
  readonly uri: string;
  readonly clusterNodes: readonly string[];
  readonly sentinels: readonly string[];
  readonly sentinelName: string;
  readonly sentinelPassword: string;
  readonly prefix: string;
  /** Replicas that must have a write before it counts as stored. */
  readonly waitReplicas: number;
}

export function redisOf(values: Values, reading: Reading): RedisConfig {
  if (values.REDIS_SENTINELS.length > 0 && values.REDIS_SENTINEL_NAME === '') {
    reading.problem('REDIS_SENTINEL_NAME: must be set beside REDIS_SENTINELS');
  }
  for (const name of ['REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const) {
    if (values[name].some((node) => !/^.+:\d+$/.test(node) || hasImpossiblePort(node)))
      reading.problem(`${name}: must be a list of host:port, each with ${POSSIBLE_PORT}`);
  }
  if (values.REDIS_CLUSTER_NODES.length > 0 && values.REDIS_SENTINELS.length > 0) {
    reading.problem('REDIS_SENTINELS: must be empty beside REDIS_CLUSTER_NODES');
  }
  if (/[{}:\s]/.test(values.REDIS_PREFIX_KEY) || values.REDIS_PREFIX_KEY === '') {
    reading.problem('REDIS_PREFIX_KEY: must be text without spaces, colons and braces');
  }
  checkDatabase(values, reading);
  return {
    uri: values.REDIS_URI,
    clusterNodes: values.REDIS_CLUSTER_NODES,
    sentinels: values.REDIS_SENTINELS,
    sentinelName: values.REDIS_SENTINEL_NAME,
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
    prefix: values.REDIS_PREFIX_KEY,
    waitReplicas: values.REDIS_WAIT_REPLICAS,
  };
}

function checkDatabase({ REDIS_URI, REDIS_CLUSTER_NODES }: Values, reading: Reading): void {
  const database = parseUrl(REDIS_URI)?.pathname.replace(/^\//, '') ?? '';
  if (!/^\d*$/.test(database)) {
    reading.problem('REDIS_URI: must name the database by its number, such as redis://host:6379/0');
  } else if (REDIS_CLUSTER_NODES.length > 0 && Number(database) !== 0) {
    reading.problem(
      'REDIS_URI: must be without a database beside REDIS_CLUSTER_NODES, as a Cluster has only one',
    );
  }
}
