import { isIP } from 'node:net';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisConfig } from '../config/redis';
import { withoutBrackets } from '../config/url';
import type { Logger } from '../observability/logging';
import type { RedisClient } from './scripts';

/** What a connection is for: changes fail at once while Redis is away, a worker waits for it. */
export type RedisPurpose = 'commands' | 'blocking';

interface PurposeOptions {
  readonly enableOfflineQueue: boolean;
  readonly maxRetriesPerRequest: number | null;
  readonly commandTimeout?: number;
}

const PURPOSE_OPTIONS: Readonly<Record<RedisPurpose, PurposeOptions>> = {
  // A call that hangs must end: the caller holds a source message.
  commands: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 10_000 },
  blocking: { enableOfflineQueue: true, maxRetriesPerRequest: null },
};

/** Connects, for ever and with capped, jittered delays; standalone, Sentinel and Cluster, with or without TLS. */
export function connectRedis(
  config: RedisConfig,
  purpose: RedisPurpose,
  onError: (error: Error) => void,
): RedisClient {
  const client = open(config, purpose);
  client.on('error', onError);
  return client;
}

function open(config: RedisConfig, purpose: RedisPurpose): RedisClient {
  const { enableOfflineQueue, ...others } = PURPOSE_OPTIONS[purpose];
  const options = { ...others, connectionName: 'evolution-relay', connectTimeout: 5000, keepAlive: 30_000 };
  if (config.clusterNodes.length > 0) {
    return new Cluster(config.clusterNodes.map(parseNode), {
      redisOptions: { ...options, ...accessOf(config.uri) },
      // Names stay names: certificates are made out to them.
      dnsLookup: (name, callback) => callback(null, name),
      enableOfflineQueue,
      clusterRetryStrategy: reconnectDelay,
    });
  }
  const single = { ...options, enableOfflineQueue, retryStrategy: reconnectDelay };
  if (config.sentinels.length > 0) return new Redis({ ...single, ...behindSentinels(config) });
  // ioredis's own reading of `rediss:` would take the place of `tls`.
  return new Redis(config.uri.replace(/^rediss:/i, 'redis:'), { ...single, ...tlsOf(config.uri) });
}

function behindSentinels({ uri, sentinels, sentinelName, sentinelPassword }: RedisConfig) {
  const access = accessOf(uri);
  return {
    ...access,
    ...(access.tls === undefined ? {} : { sentinelTLS: access.tls, enableTLSForSentinelMode: true }),
    ...(sentinelPassword === '' ? {} : { sentinelPassword }),
    sentinels: sentinels.map(parseNode),
    name: sentinelName,
    // One that takes the question and is gone would hold up all the others.
    sentinelCommandTimeout: 5000,
  } satisfies RedisOptions;
}

/**
 * What REDIS_URI says about all servers of a Cluster, or behind Sentinels: user, password, database and TLS, as their
 * lists name hosts and ports only.
 */
function accessOf(uri: string): Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'> {
  const { protocol, username, password, pathname } = new URL(uri);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1)),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/**
 * With the name that the server is called by (SNI), which providers of many servers at one address go by: ioredis does
 * not tell it.
 */
function tlsOf(uri: string): Pick<RedisOptions, 'tls'> {
  const { protocol, hostname } = new URL(uri);
  if (protocol !== 'rediss:') return {};
  return { tls: isIP(withoutBrackets(hostname)) ? {} : { servername: hostname } };
}

function reconnectDelay(times: number): number {
  return Math.min(100 * 2 ** Math.min(times, 6), 2000) * (0.8 + Math.random() * 0.4);
}

function parseNode(node: string): { host: string; port: number } {
  const colon = node.lastIndexOf(':');
  return { host: withoutBrackets(node.slice(0, colon)), port: Number(node.slice(colon + 1)) };
}

/** Tells what is at risk with this Redis: keys it may evict, parked deliveries it may forget. */
export async function checkRedis(redis: RedisClient, log: Logger): Promise<void> {
  const [memory, persistence] = await Promise.all([redis.info('memory'), redis.info('persistence')]);
  const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    log.error('redis may evict parked deliveries: set maxmemory-policy to noeviction', { policy });
  }
  if (!/aof_enabled:1/.test(persistence)) {
    log.warn('redis forgets parked deliveries when it restarts: set appendonly to yes');
  }
}
