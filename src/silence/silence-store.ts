import type { StoredCalls } from '../retry/retry-store';
import { isSaid, type Said } from './said';
import { pack, unpack } from './stored-instance';
import { isSilenceReason, type SilenceReason } from './verdict';
import type { WatchedInstance } from './watched-instance';

/** What was heard of one instance within a step. */
export interface HeardOf {
  readonly instance: string;
  readonly messages: number;
  readonly others: number;
  readonly said: Said | undefined;
}

/** An instance that is silent. */
export interface Silence {
  readonly since: number;
  readonly why: SilenceReason;
}

export const STEP_MS = 120_000;
/** Longer than an hour: a worker that takes over begins with records that are as old. */
const KEPT_MS = 75 * 60_000;
/** Records written by one call. */
const AT_ONCE = 200;
/** Instances reported by one call. */
const HEARD_AT_ONCE = 1000;

type Calls = Pick<StoredCalls, 'isReady' | 'call'>;

/** What all workers heard of instances, and what is known of these, in Redis. */
export class SilenceStore {
  constructor(private readonly calls: Calls) {}

  /** Adds to the present step, also where nothing was heard. */
  async heard(all: readonly HeardOf[]): Promise<void> {
    if (!this.calls.isReady) return;
    for (let start = 0; start === 0 || start < all.length; start += HEARD_AT_ONCE) {
      const args = all
        .slice(start, start + HEARD_AT_ONCE)
        .flatMap(({ instance, messages, others, said }) => [instance, messages, others, said ?? '']);
      await this.calls.call('relayHeard', STEP_MS, KEPT_MS, ...args);
    }
  }

  /** The time of Redis where this worker is the one that watches; undefined where another one does. */
  async lease(worker: string, ms: number): Promise<number | undefined> {
    if (!this.calls.isReady) return undefined;
    const now = Number(await this.calls.call('relayWatch', worker, ms));
    return now < 0 ? undefined : now;
  }

  /** What was heard in a step, by instance; undefined where nobody listened. */
  async heardIn(step: number): Promise<ReadonlyMap<string, HeardOf> | undefined> {
    const found = new Map<string, HeardOf>();
    let listened = false;
    for await (const [field, value] of this.scan('relayHeardIn', step)) {
      const [kind, instance] = [field[0], field.slice(1)];
      if (kind === '-') listened = true;
      else found.set(instance, merged(found.get(instance) ?? nothingOf(instance), kind, value));
    }
    return listened ? found : undefined;
  }

  /** Everything that is known; records that cannot be read are left out. */
  async *instances(): AsyncGenerator<readonly [instance: string, watched: WatchedInstance]> {
    for await (const [instance, text] of this.scan('relayRhythms')) {
      const watched = unpack(text);
      if (watched !== undefined) yield [instance, watched];
    }
  }

  async instance(
    name: string,
  ): Promise<{ readonly watched: WatchedInstance | undefined; readonly silence: Silence | undefined }> {
    const [record = '', silence = ''] = (await this.calls.call('relayRhythm', name)) as readonly string[];
    return { watched: unpack(record), silence: silenceOf(silence) };
  }

  /** Undefined: it is forgotten. */
  async learn(
    known: readonly (readonly [instance: string, watched: WatchedInstance | undefined])[],
  ): Promise<void> {
    for (let start = 0; start < known.length; start += AT_ONCE) {
      const args = known
        .slice(start, start + AT_ONCE)
        .flatMap(([instance, watched]) => [instance, watched === undefined ? '' : pack(watched)]);
      await this.calls.call('relayLearn', ...args);
    }
  }

  /** Undefined: it speaks again. */
  async tell(changes: readonly (readonly [instance: string, silence: Silence | undefined])[]): Promise<void> {
    for (let start = 0; start < changes.length; start += AT_ONCE) {
      const args = changes
        .slice(start, start + AT_ONCE)
        .flatMap(([instance, silence]) => [instance, silence === undefined ? '' : JSON.stringify(silence)]);
      await this.calls.call('relaySilent', ...args);
    }
  }

  async silentCount(): Promise<number> {
    return Number(await this.calls.call('relaySilentCount'));
  }

  async silentOnes(): Promise<ReadonlyMap<string, Silence>> {
    const silent = new Map<string, Silence>();
    for await (const [instance, text] of this.scan('relaySilentOnes')) {
      const silence = silenceOf(text);
      if (silence !== undefined) silent.set(instance, silence);
    }
    return silent;
  }

  /** Fields and values of a hash. */
  private async *scan(
    script: 'relayHeardIn' | 'relayRhythms' | 'relaySilentOnes',
    ...args: readonly number[]
  ): AsyncGenerator<readonly [field: string, value: string]> {
    let cursor = '0';
    do {
      const [next, flat] = (await this.calls.call(script, ...args, cursor)) as [string, readonly string[]];
      for (let index = 0; index < flat.length; index += 2) yield [flat[index] ?? '', flat[index + 1] ?? ''];
      cursor = next;
    } while (cursor !== '0');
  }
}

function nothingOf(instance: string): HeardOf {
  return { instance, messages: 0, others: 0, said: undefined };
}

function merged(heard: HeardOf, kind: string | undefined, value: string): HeardOf {
  if (kind === 'm') return { ...heard, messages: Number(value) };
  if (kind === 'o') return { ...heard, others: Number(value) };
  return { ...heard, said: isSaid(value) ? value : undefined };
}

function silenceOf(text: string): Silence | undefined {
  if (text === '') return undefined;
  const read: unknown = JSON.parse(text);
  if (typeof read !== 'object' || read === null || !('since' in read) || !('why' in read)) return undefined;
  const why = String(read.why);
  return isSilenceReason(why) ? { since: Number(read.since), why } : undefined;
}
