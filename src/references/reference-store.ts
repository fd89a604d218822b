import { randomBytes } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { RelayError } from '../errors';
import { compress, decompress } from '../events/compression';
import { type Link, type LinkFault, type LinkPath, linkFault, linkUrl } from './signed-link';

export interface ReferenceStoreParts {
  readonly redis: Redis | Cluster;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly ttlSeconds: number;
  /** Bytes of compressed events in all. */
  readonly maxBytes: number;
}

/** One event alone is more than all may be. */
export class ReferenceTooLargeError extends RelayError {
  constructor(bytes: number, maxBytes: number) {
    super('REFERENCE_TOO_LARGE', `${bytes} bytes are more than PUSHER_REFERENCE_MAX_BYTES (${maxBytes})`);
  }
}

/**
 * Keeps an event until it expires. What has expired, and the oldest while all are too large, is dropped.
 * KEYS: expiry times, sizes (their sum under *), the event. ARGV: id, event, its size, now, expiry, most that all may
 * be, key of an event without its id, seconds to live.
 */
const KEEP = `
  local function drop(id)
    local size = redis.call('HGET', KEYS[2], id)
    redis.call('ZREM', KEYS[1], id)
    redis.call('DEL', ARGV[7] .. id)
    if not size then return end
    redis.call('HDEL', KEYS[2], id)
    redis.call('HINCRBY', KEYS[2], '*', -size)
  end
  drop(ARGV[1])
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[4], 'LIMIT', 0, 100)) do drop(id) end
  while tonumber(redis.call('HGET', KEYS[2], '*') or '0') + tonumber(ARGV[3]) > tonumber(ARGV[6]) do
    local oldest = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
    if not oldest then break end
    drop(oldest)
  end
  redis.call('SET', KEYS[3], ARGV[2], 'EX', ARGV[8])
  redis.call('ZADD', KEYS[1], ARGV[5], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  redis.call('HINCRBY', KEYS[2], '*', ARGV[3])
  return 1`;

/** Where a link leads. */
export interface LinkPlace {
  /** Address at which browsers reach the gateway; it may have a path. */
  readonly baseUrl: string;
  readonly path: LinkPath;
}

/** What is too large for where it is to be sent, behind signed links: bounded, expiring, compressed. */
export class ReferenceStore {
  private readonly base: string;
  private secret: Promise<Buffer> | undefined;

  constructor(private readonly parts: ReferenceStoreParts) {
    this.base = `{${parts.prefix}}:references`;
  }

  /** Keeps the event under its id and gives the link. @throws ReferenceTooLargeError, or what Redis says */
  async keep(
    id: string,
    body: Buffer,
    place: LinkPlace,
  ): Promise<{ readonly url: string; readonly expires: number }> {
    const { redis, ttlSeconds, maxBytes } = this.parts;
    const text = await compress(body);
    if (text.length > maxBytes) throw new ReferenceTooLargeError(text.length, maxBytes);
    const secret = await this.readSecret();
    const now = Date.now();
    const expires = Math.ceil(now / 1000) + ttlSeconds;
    const keys = [`${this.base}:expiry`, `${this.base}:sizes`, this.key(id)];
    const prefix = this.key('');
    await redis.eval(
      KEEP,
      3,
      ...keys,
      id,
      text,
      text.length,
      now,
      expires * 1000,
      maxBytes,
      prefix,
      ttlSeconds,
    );
    return { url: linkUrl(place, { id, expires }, secret), expires };
  }

  /** The event behind a link; undefined where it is kept no longer. */
  async read(id: string): Promise<Buffer | undefined> {
    const text = await this.parts.redis.get(this.key(id));
    return text === null ? undefined : decompress(text);
  }

  async faultOf(link: Link, signature: string): Promise<LinkFault | undefined> {
    return linkFault(link, signature, await this.readSecret(), Date.now());
  }

  private key(id: string): string {
    return `${this.base}:event:${id}`;
  }

  /** One for all workers and gateways, made by the first that needs it. */
  private readSecret(): Promise<Buffer> {
    this.secret ??= this.findSecret().catch((error: unknown) => {
      this.secret = undefined;
      throw error;
    });
    return this.secret;
  }

  private async findSecret(): Promise<Buffer> {
    const key = `${this.base}:secret`;
    await this.parts.redis.set(key, randomBytes(32).toString('base64'), 'NX');
    return Buffer.from((await this.parts.redis.get(key)) ?? '', 'base64');
  }
}
