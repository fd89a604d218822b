import { createHash } from 'node:crypto';
import { fromStore } from '../errors';
import type { RedisClient } from '../redis/scripts';
import { isFields } from '../settings/section';

/** What a core delivered of one section before its delivery was switched off. */
export interface Delivered {
  readonly enabled: boolean;
  readonly events: readonly string[];
}

/** By section. */
export type HandedOver = Readonly<Record<string, Delivered>>;

/** What is noted of an instance; notes of a later version are left alone. */
export type Note =
  | { readonly kind: 'none' }
  | { readonly kind: 'readable'; readonly sections: HandedOver }
  | { readonly kind: 'unreadable' };

const VERSION = 1;
/** An import that was cut is gone on with for so long; later the settings may be others. */
const CUT_SECONDS = 86_400;

/** What moving in has to remember, in Redis: what was switched off at the core, and how far an import came. */
export class MovingNotes {
  private readonly handed: string;
  private readonly done: string;

  /** @param url of the core: two of them are two imports */
  constructor(
    private readonly redis: RedisClient,
    prefix: string,
    url: string,
  ) {
    this.handed = `{${prefix}}:moving-in`;
    const of = createHash('sha256').update(url).digest('base64url').slice(0, 16);
    this.done = `{${prefix}}:moving-in:done:${of}`;
  }

  async of(instance: string): Promise<Note> {
    return noteOf(await fromStore(this.redis.hget(this.handed, instance)));
  }

  /** By instance of which something was handed over. */
  async all(): Promise<ReadonlyMap<string, Note>> {
    const texts = await fromStore(this.redis.hgetall(this.handed));
    return new Map(Object.entries(texts).map(([instance, text]) => [instance, noteOf(text)]));
  }

  async set(instance: string, sections: HandedOver): Promise<void> {
    const text = JSON.stringify({ version: VERSION, sections });
    await fromStore(this.redis.hset(this.handed, instance, text));
  }

  async forget(instance: string): Promise<void> {
    await fromStore(this.redis.hdel(this.handed, instance));
  }

  /** Instances that an import which was cut is done with. */
  async imported(): Promise<ReadonlySet<string>> {
    return new Set(await fromStore(this.redis.smembers(this.done)));
  }

  async noteImported(instance: string): Promise<void> {
    await fromStore(this.redis.multi().sadd(this.done, instance).expire(this.done, CUT_SECONDS).exec());
  }

  async forgetImported(): Promise<void> {
    await fromStore(this.redis.del(this.done));
  }
}

function noteOf(text: string | null): Note {
  if (text === null) return { kind: 'none' };
  try {
    const note: unknown = JSON.parse(text);
    if (!isFields(note) || note['version'] !== VERSION || !isFields(note['sections']))
      return { kind: 'unreadable' };
    return { kind: 'readable', sections: note['sections'] as HandedOver };
  } catch {
    return { kind: 'unreadable' };
  }
}
