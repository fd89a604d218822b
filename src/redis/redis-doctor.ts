import type { Finding } from '../observability/finding';
import type { RedisClient } from './scripts';

const PART = 'redis';
/** Timestamps of signatures and of schedules are compared across machines. */
const MAX_SKEW_MS = 2000;
const FULL = 0.9;

/** What Redis says of itself: may it forget what is parked, and is its clock ours. */
export async function inspectRedis(redis: RedisClient): Promise<Finding[]> {
  const [server, memory, persistence] = await Promise.all([
    redis.info('server'),
    redis.info('memory'),
    redis.info('persistence'),
  ]);
  const version = field(server, 'redis_version') ?? 'unknown';
  return [
    finding('connection', 'ok', `Redis ${version}`),
    eviction(memory),
    room(memory),
    durability(persistence),
    await clock(redis),
  ];
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
        `${Math.round(share * 100)} % full: nothing can be parked once it is full`,
      );
}

function durability(persistence: string): Finding {
  if (field(persistence, 'aof_enabled') !== '1') {
    return finding(
      'persistence',
      'trouble',
      'parked deliveries are lost when it restarts: set appendonly yes',
    );
  }
  return field(persistence, 'aof_last_write_status') === 'ok'
    ? finding('persistence', 'ok', 'appendonly')
    : finding('persistence', 'trouble', 'the append-only file cannot be written: see the log of Redis');
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
