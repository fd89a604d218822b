import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GuessLimits } from './guess-limits';
import { HttpError, unauthorized } from './http-errors';

/** What a key opens: everything, or one instance's own paths. */
export type Access = 'all' | 'instance';

export interface KeysParts {
  readonly apiKey: string;
  /** SHA-256 of the token of an instance; undefined: it has none, or there is no such instance. */
  readonly tokenDigestOf: (instance: string) => Promise<Buffer | undefined> | Buffer | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
}

/** No instance's name is longer. */
const MAX_NAME_LENGTH = 255;
/** What a key is compared with where there is no token: it takes as long, and nothing has this digest. */
const NO_TOKEN = Buffer.alloc(32);

/**
 * Checks keys: the operator's, and the token of an instance. Compared in constant time, before anything else: the right key
 * is answered at once, whatever others do behind the same address. Wrong ones are slowed down, by address and in all.
 */
export class Keys {
  private readonly apiKey: Buffer;
  private readonly guesses: GuessLimits;
  /** Keys that this process made for itself, and the instance that each is kept to; undefined: it opens everything. */
  private readonly lent = new Map<string, string | undefined>();

  constructor(private readonly parts: KeysParts) {
    this.apiKey = digest(parts.apiKey);
    this.guesses = new GuessLimits(parts.now);
  }

  /**
   * @param instance whose token may be given as well; undefined: only the operator's key will do
   * @throws HttpError 401, or 429 where too many wrong keys come from this address or in all
   */
  async check(address: string, key: string | undefined, instance?: string): Promise<Access> {
    if (key === undefined || key === '') throw unauthorized();
    const access = await this.accessOf(key, instance).catch(async (error: unknown) => {
      // The operator's key would have been known without the store: this may be a guess at it.
      await this.slowDown(address);
      throw error;
    });
    if (access !== undefined) return access;
    await this.slowDown(address);
    throw unauthorized();
  }

  /** Whether a key that was given before still opens it. */
  async opens(key: string | undefined, instance: string | undefined): Promise<boolean> {
    return key !== undefined && (await this.accessOf(key, instance)) !== undefined;
  }

  /**
   * Makes a key for the time of some work. With it the gateway's own pages use the routes that everybody uses, for a viewer whose
   * key they do not keep.
   *
   * @param instance whose token it stands for; undefined: for the operator's key
   */
  async lend<T>(instance: string | undefined, work: (key: string) => Promise<T>): Promise<T> {
    const key = randomBytes(32).toString('base64url');
    this.lent.set(key, instance);
    try {
      return await work(key);
    } finally {
      this.lent.delete(key);
    }
  }

  private async accessOf(key: string, instance: string | undefined): Promise<Access | undefined> {
    const given = digest(key);
    if (timingSafeEqual(given, this.apiKey)) return 'all';
    if (this.lent.has(key)) {
      const own = this.lent.get(key);
      if (own === undefined) return 'all';
      return own === instance ? 'instance' : undefined;
    }
    if (instance === undefined || instance.length > MAX_NAME_LENGTH) return undefined;
    const token = (await this.parts.tokenDigestOf(instance)) ?? NO_TOKEN;
    return timingSafeEqual(given, token) ? 'instance' : undefined;
  }

  private async slowDown(address: string): Promise<void> {
    const verdict = this.guesses.next(address);
    if (verdict.kind === 'refuse') {
      throw new HttpError(429, ['Too many wrong keys: try again later'], verdict.retryAfterMs / 1000);
    }
    try {
      if (verdict.ms > 0) await delay(verdict.ms);
    } finally {
      verdict.done();
    }
  }
}

/** Of the same length for every key, as constant time needs. */
export function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
