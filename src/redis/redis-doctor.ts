import { randomBytes } from 'node:crypto';
import type { RedisConfig } from '../config/redis';
import { errorText } from '../errors';
import type { Finding } from '../observability/finding';
import { counted } from '../plural';
import { replyCode } from './reply-error';
import type { RedisClient } from './scripts';
import { storeMarkKey } from './store-mark';

const PART = 'redis';
/** Timestamps of signatures and of schedules are compared across machines. */
const MAX_SKEW_MS = 2000;
const FULL = 0.9;
/** Earlier ones lack commands that the relay's scripts call. */
const OLDEST = { major: 6, minor: 2 };
const PROBE_SECONDS = 10;

/** What helps where Redis refuses a write, by the kind of its answer. */
const REMEDIES: Readonly<Record<string, string>> = {
  OOM: 'it is full: raise maxmemory, remove dead letters, or mend the destinations that let so much pile up',
  MISCONF: 'it cannot save to its disk: free space there and see the log of Redis',
  READONLY: 'it is a replica: name the master in REDIS_URI, or the Sentinels in REDIS_SENTINELS',
  NOREPLICAS: 'fewer replicas follow than min-replicas-to-write asks for: bring them back',
  CLUSTERDOWN: 'the Cluster misses slots: bring its nodes back',
  NOPERM: 'its user may not write: allow all commands on the keys under REDIS_PREFIX_KEY',
};

/** Whether Redis takes writes, may forget what is parked, and has our clock; what is wrong comes with what helps. */
export async function inspectRedis(
  redis: RedisClient,
  { prefix, waitReplicas }: Pick<RedisConfig, 'prefix' | 'waitReplicas'>,
): Promise<Finding[]> {
  const sections = ['server', 'memory', 'persistence', 'replication'] as const;
  const [server = '', memory = '', persistence = '', replication = ''] = await Promise.all(
    sections.map((section) => redis.info(section)),
  );
  return [
    versionFinding(server),
    await writes(redis, prefix),
    eviction(memory),
    room(memory),
    ...durability(persistence),
    ...replicas(replication, waitReplicas),
    await mark(redis, prefix),
    await clock(redis),
  ];
}

function versionFinding(server: string): Finding {
  const version = field(server, 'redis_version') ?? 'unknown';
  const [major = Number.NaN, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor);
  return isOld
    ? finding(
        'connection',
        'trouble',
        `Redis ${version} is too old: the relay needs ${OLDEST.major}.${OLDEST.minor} or later`,
      )
    : finding('connection', 'ok', `Redis ${version}`);
}

async function writes(redis: RedisClient, prefix: string): Promise<Finding> {
  const key = `{${prefix}}:probe:${randomBytes(6).toString('hex')}`;
  try {
    await redis.set(key, '1', 'EX', PROBE_SECONDS);
    await redis.del(key);
    return finding('writes', 'ok', 'taken');
  } catch (error) {
    const code = replyCode(error);
    const remedy = REMEDIES[code ?? ''] ?? 'see the log of Redis';
    return finding('writes', 'trouble', `refused (${errorText(error)}): ${remedy}`);
  }
}

function eviction(memory: string): Finding {
  const policy = field(memory, 'maxmemory_policy') ?? 'unknown';
  return policy === 'noeviction'
    ? finding('maxmemory-policy', 'ok', policy)
    : finding('maxmemory-policy', 'trouble', `${policy} may evict parked deliveries: set noeviction`);
}

function room(memory: string): Finding {
  const limit = Number(field(memory, 'maxmemory') ?? 0);
  const used = Number(field(memory, 'used_memory') ?? 0);
  const megabytes = `${Math.round(used / 1e6)} MB used`;
  if (limit === 0)
    return finding('memory', 'note', `${megabytes}, no maxmemory: a long outage may use all there is`);
  const share = used / limit;
  return share < FULL
    ? finding('memory', 'ok', `${megabytes} of ${Math.round(limit / 1e6)} MB`)
    : finding(
        'memory',
        'trouble',
        `${Math.round(share * 100)} % full: nothing can be parked once it is full; raise maxmemory`,
      );
}

function durability(persistence: string): Finding[] {
  const isSaved = field(persistence, 'rdb_last_bgsave_status') !== 'err';
  const snapshot = isSaved
    ? []
    : [
        finding(
          'snapshot',
          'trouble',
          'the last snapshot could not be written: free space on the disk of Redis and see its log',
        ),
      ];
  if (field(persistence, 'aof_enabled') !== '1') {
    const text = 'parked deliveries are lost when it restarts: set appendonly yes';
    return [finding('persistence', 'trouble', text), ...snapshot];
  }
  const isWritten = field(persistence, 'aof_last_write_status') === 'ok';
  return [
    isWritten
      ? finding('persistence', 'ok', 'appendonly')
      : finding('persistence', 'trouble', 'the append-only file cannot be written: see the log of Redis'),
    ...snapshot,
  ];
}

function replicas(replication: string, wanted: number): Finding[] {
  const role = field(replication, 'role') ?? 'unknown';
  const count = Number(field(replication, 'connected_slaves') ?? 0);
  if (role === 'slave') {
    return [finding('role', 'trouble', `a replica: ${REMEDIES['READONLY']}`)];
  }
  if (wanted === 0) return [finding('role', 'ok', `${role}, ${counted(count, 'replica')}`)];
  return [
    count >= wanted
      ? finding('role', 'ok', `${role}, ${counted(count, 'replica')} (REDIS_WAIT_REPLICAS=${wanted})`)
      : finding(
          'role',
          'trouble',
          `${counted(count, 'replica')}, REDIS_WAIT_REPLICAS asks for ${wanted}: nothing counts as stored; bring them back or lower it`,
        ),
  ];
}

/** Workers and gateways make the mark; without one none has run on this Redis, or it was emptied since. */
async function mark(redis: RedisClient, prefix: string): Promise<Finding> {
  const found = await redis.get(storeMarkKey(prefix));
  return found === null
    ? finding('store', 'note', `nothing is stored under REDIS_PREFIX_KEY=${prefix} yet`)
    : finding('store', 'ok', `known as ${found}`);
}

async function clock(redis: RedisClient): Promise<Finding> {
  const before = Date.now();
  const [seconds, micros] = await redis.time();
  const now = (before + Date.now()) / 2;
  const skew = Math.round(Number(seconds) * 1000 + Number(micros) / 1000 - now);
  return Math.abs(skew) <= MAX_SKEW_MS
    ? finding('clock', 'ok', `${Math.abs(skew)} ms apart`)
    : finding(
        'clock',
        'trouble',
        `${Math.abs(skew)} ms apart: synchronise the clocks (NTP) of both machines`,
      );
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

function finding(check: string, state: Finding['state'], detail: string): Finding {
  return { part: PART, check, state, detail };
}
