import type { Cluster, Redis } from 'ioredis';
import { fromStore, RelayError } from '../errors';
import type { SettingsCipher } from './cipher';
import type { Settings } from './schema';
import { decode, encode } from './stored';
import { stamped } from './timestamps';

interface Wanted {
  readonly instance: string;
  readonly resolve: (text: string | null) => void;
  readonly reject: (error: unknown) => void;
}

export interface SettingsStoreParts {
  readonly redis: Redis | Cluster;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly cipher: SettingsCipher;
}

/** Others change the settings of one instance over and over. */
export class SettingsConflictError extends RelayError {
  constructor(instance: string) {
    super(
      'SETTINGS_CONFLICT',
      `the settings of ${JSON.stringify(instance)} are being changed by others: try again`,
    );
  }
}

/** What is stored was not written by the relay, or by a later version of it. */
export class SettingsInvalidError extends RelayError {
  constructor(message: string) {
    super('SETTINGS_INVALID', message);
  }
}

/**
 * Replaces the settings of an instance where they are what they were read as, and tells everybody.
 * KEYS: settings hash, sets of instances whose exchange and whose queues are consumed. ARGV: instance, text before, text
 * after (empty: none), 1 where the exchange and 1 where the queues are consumed, channel.
 */
const SWAP = `
  if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
  if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
  if ARGV[4] == '1' then redis.call('SADD', KEYS[2], ARGV[1]) else redis.call('SREM', KEYS[2], ARGV[1]) end
  if ARGV[5] == '1' then redis.call('SADD', KEYS[3], ARGV[1]) else redis.call('SREM', KEYS[3], ARGV[1]) end
  redis.call('PUBLISH', ARGV[6], ARGV[1])
  return 1`;
const MAX_TRIES = 20;
const PAGE = 500;

/** The settings of instances in Redis. */
export class SettingsStore {
  /** Tells the name of an instance whose settings changed. */
  readonly channel: string;
  private readonly hash: string;
  private readonly exchanges: string;
  private readonly queues: string;
  private readonly wanted: Wanted[] = [];

  constructor(private readonly parts: SettingsStoreParts) {
    this.hash = `{${parts.prefix}}:settings`;
    this.exchanges = `${this.hash}:exchanges`;
    this.queues = `${this.hash}:queues`;
    this.channel = `${this.hash}:changed`;
  }

  async read(instance: string): Promise<Settings | undefined> {
    const text = await this.text(instance);
    return text === null ? undefined : this.open(instance, text);
  }

  /** Names of the instances that have settings here. */
  names(): Promise<string[]> {
    return this.parts.redis.hkeys(this.hash);
  }

  /** Names of those whose own exchange is consumed. */
  namesWithExchange(): Promise<string[]> {
    return this.parts.redis.smembers(this.exchanges);
  }

  /** Names of those whose own SQS queues are consumed. */
  namesWithQueues(): Promise<string[]> {
    return this.parts.redis.smembers(this.queues);
  }

  async *list(): AsyncGenerator<[instance: string, settings: Settings]> {
    let cursor = '0';
    do {
      const [next, fields] = await this.parts.redis.hscan(this.hash, cursor, 'COUNT', PAGE);
      cursor = next;
      for (let index = 0; index + 1 < fields.length; index += 2) {
        const [instance, text] = [String(fields[index]), String(fields[index + 1])];
        yield [instance, this.open(instance, text)];
      }
    } while (cursor !== '0');
  }

  /**
   * Changes the settings of an instance; `undefined` removes them all. `change` may be called again where somebody
   * else was faster. Resolves to what is stored then.
   *
   * @throws SettingsConflictError
   */
  update(instance: string, change: (before: Settings | undefined) => Settings): Promise<Settings>;
  update(
    instance: string,
    change: (before: Settings | undefined) => Settings | undefined,
  ): Promise<Settings | undefined>;
  async update(
    instance: string,
    change: (before: Settings | undefined) => Settings | undefined,
  ): Promise<Settings | undefined> {
    const { redis, cipher } = this.parts;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const text = await fromStore(redis.hget(this.hash, instance));
      const before = text === null ? undefined : this.open(instance, text);
      const changed = change(before);
      const after = changed === undefined ? undefined : stamped(before, changed, new Date());
      const sealed = after === undefined ? '' : cipher.seal(instance, encode(after));
      const hasExchange = after?.rabbitmq?.enabled === true ? '1' : '0';
      const hasQueues = after?.sqs?.enabled === true ? '1' : '0';
      const keys = [this.hash, this.exchanges, this.queues];
      const args = [instance, text ?? '', sealed, hasExchange, hasQueues, this.channel];
      const swapped = await fromStore(redis.eval(SWAP, keys.length, ...keys, ...args));
      if (swapped === 1) return after;
    }
    throw new SettingsConflictError(instance);
  }

  /** What is asked for in one turn of the event loop is one call: many instances are heard of at once at the start. */
  private text(instance: string): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.wanted.push({ instance, resolve, reject });
      if (this.wanted.length === 1) setImmediate(() => void this.fetchWanted());
    });
  }

  private async fetchWanted(): Promise<void> {
    const wanted = this.wanted.splice(0);
    try {
      const names = wanted.map(({ instance }) => instance);
      const texts = await fromStore(this.parts.redis.hmget(this.hash, ...names));
      for (const [index, { resolve }] of wanted.entries()) resolve(texts[index] ?? null);
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  }

  private open(instance: string, text: string): Settings {
    const parsed = decode(this.parts.cipher.open(instance, text));
    if (parsed.ok) return parsed.settings;
    throw new SettingsInvalidError(`stored settings of ${instance}: ${parsed.problems.join('; ')}`);
  }
}
