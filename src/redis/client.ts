import type { RedisConfig } from '../config/redis';
import type { Logger } from '../observability/logging';
import { Backoff } from '../time/backoff';
import { accessOf, addressOf, isTls, parseNode } from './access';
import { connectionError } from './call-errors';
import { WatchedConnector } from './connector';
import { Doubt } from './doubt';
import { clusterGuide, fixedLocator, GuidedLocator, type Locator, sentinelGuide } from './locator';
import { RelayRedis } from './relay-redis';
import { replyCode } from './reply-error';

/**
 * What a connection is for: commands fail at once while Redis is away; a worker of BullMQ waits for it, and blocks; a
 * subscriber only listens.
 */
export type RedisPurpose = 'commands' | 'blocking' | 'subscriber';

interface PurposeOptions {
  readonly enableOfflineQueue: boolean;
  readonly maxRetriesPerRequest: number | null;
  readonly commandTimeout?: number;
  readonly autoResubscribe?: boolean;
}

const PURPOSE_OPTIONS: Readonly<Record<RedisPurpose, PurposeOptions>> = {
  // A call that hangs must end: the caller holds a source message.
  commands: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 10_000 },
  blocking: { enableOfflineQueue: true, maxRetriesPerRequest: null },
  // It is subscribed again by its owner, which knows when that is done.
  subscriber: { enableOfflineQueue: false, maxRetriesPerRequest: 0, autoResubscribe: false },
};

/**
 * BullMQ blocks for up to ten seconds. For commands it is less than `commandTimeout`, so that a call which is not answered
 * ends its connection, and those after it fail at once instead of being written to it as well.
 */
const SILENT_MS: Readonly<Record<RedisPurpose, number>> = {
  commands: 8_000,
  blocking: 15_000,
  subscriber: 12_000,
};

/**
 * Behind Sentinels and in a Cluster, a server that says that it is not the one any more did nothing: `true` connects to the
 * right one and lets the call fail, 2 makes the call there, as BullMQ would take a failed last step for a failed delivery.
 */
const AFTER_MOVE: Readonly<Record<RedisPurpose, true | 2>> = {
  commands: true,
  blocking: 2,
  subscriber: true,
};

const RECONNECT = { firstMs: 100, lastMs: 2000, jitter: 0.2 };

/**
 * Connects, for ever and with capped, jittered delays; standalone, Sentinel and Cluster, with or without TLS. The only
 * place where connections to Redis are opened. Each is ended when Redis does not answer any more, and leads to the server
 * that takes writes: behind Sentinels the master, in a Cluster the owner of the slot under the prefix.
 */
export function connectRedis(
  config: RedisConfig,
  purpose: RedisPurpose,
  onError: (error: Error) => void,
): RelayRedis {
  const locator = locatorOf(config);
  const doubt = new Doubt();
  const onLate = (): void => doubt.raise();
  const parts = { locator, tls: isTls(config.uri), silentMs: SILENT_MS[purpose], onLate };
  const backoff = new Backoff(RECONNECT);
  const client = new RelayRedis({
    ...PURPOSE_OPTIONS[purpose],
    ...accessOf(config.uri),
    connectionName: 'evolution-relay',
    connectTimeout: 5000,
    keepAlive: 30_000,
    ...(parts.tls ? { tls: {} } : {}),
    Connector: class extends WatchedConnector {
      constructor() {
        super(parts);
      }
    },
    retryStrategy: () => backoff.next(),
    reconnectOnError: (error) =>
      locator.movesAfter.has(replyCode(error) ?? '') ? AFTER_MOVE[purpose] : false,
  }).withDoubt(doubt);
  client.on('ready', () => backoff.reset());
  client.on('error', (error) => onError(connectionError(error)));
  return client;
}

function locatorOf(config: RedisConfig): Locator {
  const { uri, clusterNodes, sentinels, sentinelName, sentinelPassword, prefix } = config;
  const tls = isTls(uri);
  if (clusterNodes.length > 0)
    return new GuidedLocator(clusterNodes.map(parseNode), clusterGuide(prefix, accessOf(uri), tls));
  if (sentinels.length === 0) return fixedLocator(addressOf(uri));
  const access = sentinelPassword === '' ? {} : { password: sentinelPassword };
  return new GuidedLocator(sentinels.map(parseNode), sentinelGuide(sentinelName, access, tls));
}

/** Logs what is at risk with this Redis: keys it may evict, parked deliveries it may forget. */
export async function checkRedis(redis: RelayRedis, log: Logger): Promise<void> {
  const [memory, persistence] = await Promise.all([redis.info('memory'), redis.info('persistence')]);
  const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    log.error('redis may evict parked deliveries: set maxmemory-policy to noeviction', { policy });
  }
  if (!/aof_enabled:1/.test(persistence)) {
    log.warn('redis forgets parked deliveries when it restarts: set appendonly to yes');
  }
}
