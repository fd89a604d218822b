import { hash } from 'node:crypto';
import { StoreUnavailableError } from '../errors';
import { KEEP_REFERENCES } from '../redis/reference-script';
import { replyCode } from '../redis/reply-error';
import { TurnBatch } from '../time/turn-batch';
import { baseOf, type ReferenceKeys } from './link-secret';

export interface ReferenceWriterParts extends ReferenceKeys {
  readonly ttlSeconds: number;
  /** Bytes in all, which instances share. */
  readonly maxBytes: number;
}

export interface NewReference {
  /** What its key ends with. */
  readonly name: string;
  /** The instance whose share it takes of. */
  readonly owner: string;
  readonly value: string | Buffer;
}

/** `full`: there is no room for it that its owner may take. */
export type Kept = 'kept' | 'full';

interface Pending {
  readonly reference: NewReference;
  readonly resolve: (kept: Kept) => void;
  readonly reject: (error: unknown) => void;
}

const SCRIPT_NAME = hash('sha1', KEEP_REFERENCES);
/** Of one call: other commands wait behind it. */
const MOST_TOGETHER = 64;
const MOST_BYTES = 1_048_576;
/** Another worker makes room with what was noted before once. A Redis that evicts may drop a value each time, and for ever. */
const MOST_STORED = 5;

class ValueDroppedError extends StoreUnavailableError {
  constructor() {
    super(
      'Redis drops what lies behind links as soon as it is stored: set its maxmemory-policy to noeviction',
    );
  }
}

/** Writes what lies behind links: what comes in one turn of the event loop together, as a call costs more than what it does. */
export class ReferenceWriter {
  private readonly batch = new TurnBatch<Pending>((items) => this.writeAll(items));

  constructor(private readonly parts: ReferenceWriterParts) {}

  /** Rejects with what Redis says. */
  write(reference: NewReference): Promise<Kept> {
    return new Promise((resolve, reject) => this.batch.add({ reference, resolve, reject }));
  }

  private writeAll(items: readonly Pending[]): void {
    let some: Pending[] = [];
    let bytes = 0;
    for (const item of items) {
      some.push(item);
      bytes += item.reference.value.length;
      if (some.length < MOST_TOGETHER && bytes < MOST_BYTES) continue;
      void this.send(some);
      [some, bytes] = [[], 0];
    }
    if (some.length > 0) void this.send(some);
  }

  private async send(items: readonly Pending[]): Promise<void> {
    try {
      let answers = await this.store(items);
      let times = 1;
      for (let waiting = settled(items, answers); waiting.length > 0; waiting = settled(waiting, answers)) {
        const isGone = answers.includes('gone');
        if (isGone && ++times > MOST_STORED) throw new ValueDroppedError();
        answers = await (isGone ? this.store(waiting) : this.note(waiting));
      }
    } catch (error) {
      // Those that know by now hear nothing of it.
      for (const { reject } of items) reject(error);
    }
  }

  /**
   * Stores the values, and notes them behind these. They leave by one write, as all that is sent in one turn does, and without
   * a pipeline of the library's: that copies each value once more, and its copies live so long that V8 collects all for them.
   */
  private async store(items: readonly Pending[]): Promise<readonly unknown[]> {
    const { redis } = this.parts;
    const base = baseOf(this.parts);
    const values = items.map(({ reference: { name, value } }) =>
      redis.set(`${base}:${name}`, value, 'PX', this.keepMs),
    );
    const noted = redis.evalsha(SCRIPT_NAME, 1, base, ...this.notesOf(items));
    const [notes, ...stored] = await Promise.allSettled([noted, ...values]);
    const answers = await this.answersTo(notes, items);
    return items.map(({ reject }, index) => {
      const value = stored[index];
      if (value?.status !== 'rejected') return answers[index];
      reject(value.reason);
      return 'refused';
    });
  }

  private answersTo(
    notes: PromiseSettledResult<unknown>,
    items: readonly Pending[],
  ): readonly unknown[] | Promise<readonly unknown[]> {
    if (notes.status === 'fulfilled') return answersOf(notes.value);
    if (replyCode(notes.reason) === 'NOSCRIPT') return this.note(items);
    throw notes.reason;
  }

  /** With the whole script: where it was not known, and where there is more to do. */
  private async note(items: readonly Pending[]): Promise<readonly unknown[]> {
    const { redis } = this.parts;
    return answersOf(await redis.eval(KEEP_REFERENCES, 1, baseOf(this.parts), ...this.notesOf(items)));
  }

  private notesOf(items: readonly Pending[]): (string | number)[] {
    const notes = items.flatMap(({ reference: { name, owner, value } }) => [name, owner, value.length]);
    return [this.parts.maxBytes, this.keepMs, ...notes];
  }

  private get keepMs(): number {
    return this.parts.ttlSeconds * 1000;
  }
}

/** Resolves what has a final answer, and returns what has none yet. */
function settled(items: readonly Pending[], answers: readonly unknown[]): readonly Pending[] {
  return items.filter(({ resolve }, index) => {
    const answer = answers[index];
    if (answer === 'more' || answer === 'gone') return true;
    resolve(answer === 'full' ? 'full' : 'kept');
    return false;
  });
}

function answersOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
