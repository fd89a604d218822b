import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

declare const appNameBrand: unique symbol;
/** Names an app without telling its secret. Who does not know the secret cannot name somebody else's app. */
export type AppName = string & { readonly [appNameBrand]: true };

export function appName(app: {
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
}): AppName {
  const text = JSON.stringify([app.appId, app.key, app.secret]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22) as AppName;
}

export type Happened = 'occupied' | 'vacated';

/** What is known of an app's channels. */
export interface AppState {
  readonly occupied: readonly string[];
  /** Last complete answer of Pusher, epoch milliseconds; 0: none. */
  readonly checkedAt: number;
  /** Last webhook that told of a channel; 0: none, so that none may ever come. */
  readonly toldAt: number;
  /** Counts what webhooks told. */
  readonly version: number;
}

/** A webhook that tells of an empty channel and is older than this may be an old one sent again. */
const MAX_AGE_MS = 600_000;

/**
 * Notes what a webhook told, unless something later is known. When in doubt a channel counts as occupied.
 * KEYS: occupied channels, times of what was told, state. ARGV: occupied or vacated, channel, its time, now, longest
 * age of vacated, where to tell, app.
 */
const APPLY = `
  local last = redis.call('ZSCORE', KEYS[2], ARGV[2])
  if last and tonumber(last) > tonumber(ARGV[3]) then return 0 end
  if ARGV[1] == 'vacated' and tonumber(ARGV[3]) < ARGV[4] - ARGV[5] then return 0 end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[4] - 2 * ARGV[5])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2])
  if ARGV[1] == 'vacated' then redis.call('SREM', KEYS[1], ARGV[2]) else redis.call('SADD', KEYS[1], ARGV[2]) end
  redis.call('HINCRBY', KEYS[3], 'version', 1)
  redis.call('HSET', KEYS[3], 'toldAt', ARGV[4])
  redis.call('PUBLISH', ARGV[6], ARGV[7] .. ' ' .. ARGV[1] .. ' ' .. ARGV[2])
  return 1`;

/**
 * Replaces what is known by what Pusher answered. Where a webhook came since it was asked, channels are only added.
 * KEYS: occupied channels, state. ARGV: version when it was asked, now, where to tell, app, channels.
 */
const CORRECT = `
  local same = (redis.call('HGET', KEYS[2], 'version') or '0') == ARGV[1]
  if same then redis.call('DEL', KEYS[1]) end
  for i = 5, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
  if same then redis.call('HSET', KEYS[2], 'checkedAt', ARGV[2]) end
  redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' corrected')
  return same and 1 or 0`;

/** Which channels of which app somebody subscribes to, in Redis for all workers and gateways. */
export class OccupancyStore {
  /** Tells `<app> occupied|vacated <channel>` and `<app> corrected`. */
  readonly channel: string;
  private readonly base: string;

  constructor(
    private readonly redis: Redis | Cluster,
    prefix: string,
  ) {
    this.base = `{${prefix}}:occupancy`;
    this.channel = `${this.base}:changed`;
  }

  /** @param timeMs by Pusher's clock */
  async apply(app: AppName, happened: Happened, channel: string, timeMs: number): Promise<void> {
    const keys = [this.key(app, 'channels'), this.key(app, 'told'), this.key(app, 'state')];
    const args = [happened, channel, timeMs, Date.now(), MAX_AGE_MS, this.channel, app];
    await this.redis.eval(APPLY, 3, ...keys, ...args);
  }

  async read(app: AppName): Promise<AppState> {
    const [occupied, state] = await Promise.all([
      this.redis.smembers(this.key(app, 'channels')),
      this.redis.hgetall(this.key(app, 'state')),
    ]);
    const number = (name: string): number => Number(state[name] ?? 0);
    return { occupied, checkedAt: number('checkedAt'), toldAt: number('toldAt'), version: number('version') };
  }

  /** @returns whether nothing was told meanwhile, so that the answer is all there is to know */
  async correct(app: AppName, versionBefore: number, channels: readonly string[]): Promise<boolean> {
    const keys = [this.key(app, 'channels'), this.key(app, 'state')];
    const args = [versionBefore, Date.now(), this.channel, app, ...channels];
    return (await this.redis.eval(CORRECT, 2, ...keys, ...args)) === 1;
  }

  /** Whether it is this process's turn to ask Pusher about an app: one asks for all. */
  async takeTurn(app: AppName, forMs: number): Promise<boolean> {
    return (await this.redis.set(this.key(app, 'turn'), '1', 'PX', forMs, 'NX')) === 'OK';
  }

  /** Whether a webhook is seen for the first time. */
  async isNew(signature: string): Promise<boolean> {
    return (await this.redis.set(this.seenKey(signature), '1', 'EX', SEEN_SECONDS, 'NX')) === 'OK';
  }

  /** A webhook was not dealt with after all: it may come again. */
  async forget(signature: string): Promise<void> {
    await this.redis.del(this.seenKey(signature));
  }

  private seenKey(signature: string): string {
    return `${this.base}:seen:${createHash('sha256').update(signature).digest('base64url')}`;
  }

  private key(app: AppName, what: 'channels' | 'told' | 'state' | 'turn'): string {
    return `${this.base}:${app}:${what}`;
  }
}

/** Pusher sends a webhook again for five minutes; after ten the ones that could do harm are too old. */
const SEEN_SECONDS = 3600;
