import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { TURN } from '../../../redis/turn-prelude';

declare const appNameBrand: unique symbol;
/** Names an app without its secret. Only somebody who knows the secret can name an app. */
export type AppName = string & { readonly [appNameBrand]: true };

export function appName(app: {
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
}): AppName {
  const text = JSON.stringify([app.appId, app.key, app.secret]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22) as AppName;
}

export type OccupancyChange = 'occupied' | 'vacated';

/**
 * Channels that are kept of one app: the global one has the channels of all instances, an instance's own those of the
 * instances that share it. Where there are more, nothing is known of any.
 */
export const MAX_CHANNELS = { global: 100_000, own: 1000 } as const;
/** Longest name of a channel that is kept. */
const MAX_CHANNEL_LENGTH = 200;

/** What is known of an app's channels. Times are epoch milliseconds by the clock of Redis. */
export interface AppState {
  readonly occupied: readonly string[];
  /** When Pusher was last asked and answered completely; 0: never. */
  readonly checkedAt: number;
  /** Last webhook about a channel that was believed; 0: none, so that none may ever come. */
  readonly toldAt: number;
  readonly now: number;
  /** There are more channels than are kept. */
  readonly isFull: boolean;
  /** Counts the webhooks that were believed. */
  readonly version: number;
}

/** Before Pusher is asked: what is known already, and when that was. */
export interface AskedAt {
  readonly version: number;
  readonly now: number;
}

/** A webhook about an empty channel that is older than this may be an old one that is sent again. */
const MAX_AGE_MS = 600_000;
/** Pusher's clock may be ahead by so much. */
const MAX_SKEW_MS = 10_000;
/** Nothing is kept for longer after the last change: also how long webhooks are trusted to come. */
export const KEPT_MS = 7 * 86_400_000;

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Notes a webhook. Where it is in doubt the channel counts as occupied: an empty channel is believed only of a webhook
 * that is neither old nor from the future, later than whatever is known of this channel, and later than the last answer
 * of Pusher itself. A time from the future is never kept, as it would outdo all that comes after it.
 * KEYS: occupied channels, times of webhooks by channel, state, apps. ARGV: occupied or vacated, channel, its time,
 * longest age of vacated, skew, most channels, where to announce it, app, how long it is kept.
 */
const APPLY = `
  ${NOW}
  local what, channel, at = ARGV[1], ARGV[2], tonumber(ARGV[3])
  local last = tonumber(redis.call('ZSCORE', KEYS[2], channel) or '0')
  local asked = tonumber(redis.call('HGET', KEYS[3], 'checkedAt') or '0')
  if what == 'vacated' then
    if at > now + ARGV[5] or at < now - ARGV[4] or at <= last or at <= asked then return 0 end
  else
    if at > now + ARGV[5] then at = now end
    if at < last and last <= now then return 0 end
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 2 * ARGV[4])
  redis.call('ZADD', KEYS[2], at, channel)
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -ARGV[6] - 1)
  if what == 'vacated' then redis.call('SREM', KEYS[1], channel)
  elseif redis.call('SCARD', KEYS[1]) < tonumber(ARGV[6]) then redis.call('SADD', KEYS[1], channel)
  elseif redis.call('SISMEMBER', KEYS[1], channel) == 0 then redis.call('HSET', KEYS[3], 'full', 1) end
  local version = redis.call('HINCRBY', KEYS[3], 'version', 1)
  redis.call('HSET', KEYS[3], 'toldAt', now)
  redis.call('SADD', KEYS[4], ARGV[8])
  for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[9]) end
  redis.call('PUBLISH', ARGV[7], ARGV[8] .. ' ' .. what .. ' ' .. channel .. ' ' .. version)
  return 1`;

/**
 * Replaces what is known by what Pusher answered. Where a webhook came since it was asked, channels are only added.
 * KEYS: occupied channels, state, apps. ARGV: version and time when it was asked, most channels, where to announce it,
 * app, how long it is kept, channels.
 */
const CORRECT = `
  local same = (redis.call('HGET', KEYS[2], 'version') or '0') == ARGV[1]
  local isFull = #ARGV - 6 > tonumber(ARGV[3])
  if same or isFull then redis.call('DEL', KEYS[1]) end
  if not isFull then
    for i = 7, #ARGV do redis.call('SADD', KEYS[1], ARGV[i]) end
    isFull = redis.call('SCARD', KEYS[1]) > tonumber(ARGV[3])
  end
  if isFull then redis.call('HSET', KEYS[2], 'full', 1) elseif same then redis.call('HDEL', KEYS[2], 'full') end
  if same then redis.call('HSET', KEYS[2], 'checkedAt', ARGV[2]) end
  redis.call('SADD', KEYS[3], ARGV[5])
  for i = 1, 3 do redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
  redis.call('PUBLISH', ARGV[4], ARGV[5] .. ' corrected')
  return same and 1 or 0`;

/** KEYS: occupied channels, state. */
const READ = `
  ${NOW}
  local state = redis.call('HMGET', KEYS[2], 'checkedAt', 'toldAt', 'full', 'version')
  local occupied = redis.call('SMEMBERS', KEYS[1])
  return {occupied, state[1] or '0', state[2] or '0', state[3] or '0', state[4] or '0', tostring(now)}`;

type ReadAnswer = [
  occupied: string[],
  checkedAt: string,
  toldAt: string,
  full: string,
  version: string,
  now: string,
];

/**
 * Which channels of which app somebody subscribes to, in Redis for all workers and gateways. Bounded for each app, and
 * forgotten with the last instance that has it.
 */
export class OccupancyStore {
  /** Announces `<app> occupied|vacated <channel> <version>` and `<app> corrected`. */
  readonly channel: string;
  private readonly base: string;

  constructor(
    private readonly redis: Redis | Cluster,
    prefix: string,
  ) {
    this.base = `{${prefix}}:occupancy`;
    this.channel = `${this.base}:changed`;
  }

  /**
   * @param timeMs by Pusher's clock
   * @param maxChannels of this app
   */
  async apply(
    app: AppName,
    change: OccupancyChange,
    channel: string,
    timeMs: number,
    maxChannels: number = MAX_CHANNELS.own,
  ): Promise<void> {
    if (channel === '' || channel.length > MAX_CHANNEL_LENGTH) return;
    const keys = [this.key(app, 'channels'), this.key(app, 'told'), this.key(app, 'state'), this.apps];
    const args = [change, channel, timeMs, MAX_AGE_MS, MAX_SKEW_MS, maxChannels, this.channel, app, KEPT_MS];
    await this.redis.eval(APPLY, keys.length, ...keys, ...args);
  }

  async read(app: AppName): Promise<AppState> {
    const answer = await this.redis.eval(READ, 2, this.key(app, 'channels'), this.key(app, 'state'));
    const [occupied, checkedAt, toldAt, full, version, now] = answer as ReadAnswer;
    return {
      occupied,
      checkedAt: Number(checkedAt),
      toldAt: Number(toldAt),
      isFull: full === '1',
      version: Number(version),
      now: Number(now),
    };
  }

  /** @returns whether no webhook came meanwhile, so that the answer is all there is to know */
  async correct(
    app: AppName,
    { version, now }: AskedAt,
    channels: readonly string[],
    maxChannels: number = MAX_CHANNELS.own,
  ): Promise<boolean> {
    const keys = [this.key(app, 'channels'), this.key(app, 'state'), this.apps];
    // One more than are kept tells that there are too many.
    const kept = channels.filter(({ length }) => length <= MAX_CHANNEL_LENGTH).slice(0, maxChannels + 1);
    const args = [version, now, maxChannels, this.channel, app, KEPT_MS, ...kept];
    return (await this.redis.eval(CORRECT, keys.length, ...keys, ...args)) === 1;
  }

  /** Whether it is this process's turn to ask Pusher about an app: one asks for all. */
  async takeTurn(app: AppName, forMs: number): Promise<boolean> {
    return (await this.redis.eval(TURN, 1, this.key(app, 'turn'), Math.round(forMs))) === 1;
  }

  /** Forgets all apps but these. */
  async retain(apps: ReadonlySet<AppName>): Promise<void> {
    for (const app of (await this.redis.smembers(this.apps)) as AppName[]) {
      if (!apps.has(app)) await this.remove(app);
    }
  }

  private async remove(app: AppName): Promise<void> {
    await this.redis.del(this.key(app, 'channels'), this.key(app, 'told'), this.key(app, 'state'));
    await this.redis.srem(this.apps, app);
  }

  private get apps(): string {
    return `${this.base}:apps`;
  }

  private key(app: AppName, what: 'channels' | 'told' | 'state' | 'turn'): string {
    return `${this.base}:${app}:${what}`;
  }
}
