import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { HttpError, unauthorized } from './http-errors';

/** What a key opens: everything, or one instance's own paths. */
export type Access = 'all' | 'instance';

export interface KeysParts {
  readonly apiKey: string;
  /** SHA-256 of an instance's token; undefined where it has none. */
  readonly tokenDigestOf: (instance: string) => Promise<Buffer | undefined>;
}

/** Wrong keys of one address that cost nothing yet. */
const FREE_FAILURES = 10;
/** How long an address is remembered after its last wrong key. */
const REMEMBER_MS = 60_000;
/** After that many, each key of that address takes its turn: 4 guesses a second, however many connections. */
const TURN_MS = 250;
const LONGEST_WAIT_MS = 5000;
const MAX_ADDRESSES = 10_000;

interface Suspect {
  failures: number;
  nextTurn: number;
}

/**
 * Checks keys: the operator's, and the token of an instance. Compared in constant time. Guessing is slowed down by
 * address, but who was let in before is not locked out: behind one address there may be many clients.
 */
export class Keys {
  private readonly apiKey: Buffer;
  /** Addresses with keys that opened something: they do not wait for those who guess behind the same address. */
  private readonly welcome = new LRUCache<string, true>({ max: MAX_ADDRESSES });
  private readonly suspects = new LRUCache<string, Suspect>({
    max: MAX_ADDRESSES,
    ttl: REMEMBER_MS,
    perf: Date,
  });

  constructor(private readonly parts: KeysParts) {
    this.apiKey = digest(parts.apiKey);
  }

  /**
   * @param instance whose token may be given as well; undefined: only the operator's key will do
   * @throws HttpError 401, or 429 where an address tries too many
   */
  async check(address: string, key: string | undefined, instance?: string): Promise<Access> {
    const visitor = `${address} ${digest(key ?? '').toString('base64')}`;
    if (!this.welcome.has(visitor)) await this.takeTurn(address);
    const access = key === undefined || key === '' ? undefined : await this.accessOf(key, instance);
    if (access !== undefined) {
      this.welcome.set(visitor, true);
      return access;
    }
    this.welcome.delete(visitor);
    const suspect = this.suspects.get(address) ?? { failures: 0, nextTurn: 0 };
    suspect.failures++;
    this.suspects.set(address, suspect);
    throw unauthorized();
  }

  /** Whether a key that was given before still opens it. */
  async opens(key: string | undefined, instance: string | undefined): Promise<boolean> {
    return key !== undefined && (await this.accessOf(key, instance)) !== undefined;
  }

  private async accessOf(key: string, instance: string | undefined): Promise<Access | undefined> {
    const given = digest(key);
    if (timingSafeEqual(given, this.apiKey)) return 'all';
    const token = instance === undefined ? undefined : await this.parts.tokenDigestOf(instance);
    return token !== undefined && timingSafeEqual(given, token) ? 'instance' : undefined;
  }

  private async takeTurn(address: string): Promise<void> {
    const suspect = this.suspects.get(address);
    if (suspect === undefined || suspect.failures < FREE_FAILURES) return;
    const now = Date.now();
    const waitMs = suspect.nextTurn - now;
    if (waitMs > LONGEST_WAIT_MS) {
      throw new HttpError(
        429,
        ['Too many wrong keys from this address: try again later'],
        LONGEST_WAIT_MS / 1000,
      );
    }
    suspect.nextTurn = Math.max(now, suspect.nextTurn) + TURN_MS;
    if (waitMs > 0) await delay(waitMs);
  }
}

/** Of the same length for every key, as constant time needs. */
export function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
