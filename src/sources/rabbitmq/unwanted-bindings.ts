import type { Logger } from '../../observability/logging';
import { within } from '../../time/within';
import type { KeptNotes } from '../source-module';
import type { ControlChannel } from './control-channel';
import { type Ensured, releaseBindings } from './declare';
import { ConnectionLostError } from './session';
import { ALL_PATTERNS, type ConsumedExchange, needsOwnQueue, planOf, type TopologyOptions } from './topology';

export interface UnwantedBindingsParts {
  readonly topology: TopologyOptions;
  /** What workers of the dedicated queue have bound, beyond their own lives. Left out, nothing is remembered. */
  readonly notes: KeptNotes | undefined;
  readonly log: Logger;
}

/** One exchange as it is noted: its patterns, and when a worker last wanted it; 0 once that worker has stopped. */
interface Note {
  readonly patterns: readonly string[];
  readonly at: number;
}

interface Dropped {
  readonly name: string;
  readonly patterns: readonly string[];
  /** Undefined for what an earlier process bound. */
  readonly exchange?: ConsumedExchange;
  /** It was bound for certain: that it is no longer is worth a line. */
  readonly isKnown: boolean;
}

/** Exchanges that were dropped while the broker was away, whose bindings are still to go. */
const MAX_DROPPED = 10_000;
/** Workers note once a minute what they want: what was noted since is another worker's that lives, and stays. */
const ALIVE_MS = 150_000;
const NOTES_MS = 3000;
/** Notes that could not be read, or of workers that may still live, are read again after this. */
const AGAIN_MS = 15_000;

/**
 * Bindings of the dedicated queue that nobody wants any more: those of exchanges that were dropped, and those that an
 * earlier process with another configuration has left behind. The broker cannot be asked for them over AMQP, so what is
 * bound is noted in Redis.
 */
export class UnwantedBindings {
  private readonly dropped = new Map<string, Dropped>();
  private readonly held = new Map<string, Note>();
  private readonly unsaved = new Set<string>();
  private noted: ReadonlyMap<string, Note> = new Map();
  private recallAt = 0;

  constructor(private readonly parts: UnwantedBindingsParts) {}

  get size(): number {
    return this.dropped.size;
  }

  /** The exchange is wanted again; how it was wanted before, where it was dropped just now. */
  keep(key: string): ConsumedExchange | undefined {
    const { exchange } = this.dropped.get(key) ?? {};
    this.dropped.delete(key);
    return exchange;
  }

  /** The exchange is not wanted any more. */
  drop(key: string, exchange: ConsumedExchange): void {
    this.held.delete(key);
    const patterns = this.patternsOf(exchange);
    this.add(key, { name: exchange.name, patterns, exchange, isKnown: true });
  }

  /** The same for one that only an earlier process has bound. */
  dropNoted(key: string, name: string): void {
    const note = this.noted.get(key);
    if (note !== undefined) this.add(key, { name, patterns: note.patterns, isKnown: true });
  }

  /** Instances whose exchanges an earlier process has bound. */
  async notedInstances(): Promise<string[]> {
    await this.read();
    return [...this.noted.keys()].flatMap((key) =>
      key.startsWith(OF_INSTANCE) ? [key.slice(OF_INSTANCE.length)] : [],
    );
  }

  /** The exchange was bound, and is wanted. */
  hold(key: string, exchange: ConsumedExchange): void {
    if (!needsOwnQueue(exchange, this.parts.topology)) return;
    const patterns = this.patternsOf(exchange);
    this.held.set(key, { patterns, at: Date.now() });
    this.unsaved.add(key);
  }

  /**
   * Looks for exchanges that an earlier configuration named. Those of instances are looked at one by one as their settings
   * are read: settings that cannot be read say nothing.
   *
   * @param isWanted now
   */
  async recall(now: number, isWanted: (key: string) => boolean): Promise<void> {
    if (this.parts.notes === undefined || now < this.recallAt) return;
    this.recallAt = Number.POSITIVE_INFINITY;
    try {
      await this.read();
    } catch (error) {
      this.parts.log.debug('what was bound before cannot be read', { error: String(error) });
      this.recallAt = now + AGAIN_MS;
    }
    for (const [key, note] of this.globals()) {
      if (isWanted(key)) continue;
      if (Date.now() - note.at < ALIVE_MS) this.recallAt = now + AGAIN_MS;
      else
        this.add(key, {
          name: key.slice(OF_OPERATOR.length),
          patterns: note.patterns,
          isKnown: this.noted.has(key),
        });
    }
  }

  /**
   * Takes the bindings away.
   *
   * @param queues the relay's own, all of which are bound to the same
   * @throws ConnectionLostError
   */
  async release(
    control: ControlChannel,
    queues: readonly string[],
    isWanted: (name: string, pattern: string) => boolean,
  ): Promise<void> {
    const { topology, log } = this.parts;
    for (const [key, { name, patterns, isKnown }] of this.dropped) {
      const unwanted = patterns.filter((pattern) => !isWanted(name, pattern));
      const bound = queues.map((queue) => ({ queue, bind: unwanted, unbind: [] }));
      const released =
        patterns.length === 0 ? undefined : await this.ask(key, name, releaseBindings(control, name, bound));
      this.dropped.delete(key);
      if (released?.kind === 'refused')
        log.warn('a binding that is no longer wanted stays', { ...released.obstacle });
      else if (isKnown && released !== undefined)
        log.info('an exchange is no longer wanted: its bindings were removed', {
          exchange: name,
          queue: topology.queue,
        });
      if (released?.kind === 'ready') await this.forget(key);
    }
  }

  /** Where the broker closes the connection over it, it is not asked for again: the next connection would end, too. */
  private async ask(key: string, exchange: string, releasing: Promise<Ensured>): Promise<Ensured> {
    try {
      return await releasing;
    } catch (error) {
      if (error instanceof ConnectionLostError && error.isRefusal && this.dropped.delete(key))
        this.parts.log.warn(
          'a binding that is no longer wanted stays: the broker ends the connection over it',
          {
            exchange,
            queue: this.parts.topology.queue,
          },
        );
      throw error;
    }
  }

  /** Notes what is wanted. What Redis does not take is noted the next time. */
  async save(): Promise<void> {
    const { notes, log } = this.parts;
    if (notes === undefined || this.unsaved.size === 0) return;
    const keys = [...this.unsaved];
    this.unsaved.clear();
    const entries = keys.flatMap((key) => {
      const note = this.held.get(key);
      return note === undefined ? [] : [[key, JSON.stringify(note)] as const];
    });
    try {
      await within(notes.set(new Map(entries)), NOTES_MS, () => new Error('Redis does not answer'));
    } catch (error) {
      for (const key of keys) this.unsaved.add(key);
      log.debug('what is bound cannot be noted', { error: String(error) });
    }
  }

  /** This worker wants nothing any more: its successor need not wait to see whether it lives. */
  async letGo(): Promise<void> {
    for (const [key, note] of this.held) {
      this.held.set(key, { ...note, at: 0 });
      this.unsaved.add(key);
    }
    await this.save();
    this.held.clear();
  }

  /** Those of the relay's own queue. */
  private patternsOf(exchange: ConsumedExchange): string[] {
    const { topology } = this.parts;
    return needsOwnQueue(exchange, topology)
      ? planOf(exchange, topology).bound.flatMap(({ bind }) => bind)
      : [];
  }

  private add(key: string, dropped: Dropped): void {
    if (this.dropped.size < MAX_DROPPED) this.dropped.set(key, dropped);
  }

  /** Those of the operator that are noted; and the one that is named and switched off, which older versions did not note. */
  private globals(): (readonly [key: string, note: Note])[] {
    const { topology } = this.parts;
    const noted = [...this.noted].filter(([key]) => key.startsWith(OF_OPERATOR));
    const named = (topology.reserved ?? []).map((name) => `${OF_OPERATOR}${name}`);
    const others = named.filter((key) => !this.noted.has(key));
    return [...noted, ...others.map((key) => [key, { patterns: ALL_PATTERNS, at: 0 }] as const)];
  }

  private async read(): Promise<void> {
    const { notes } = this.parts;
    if (notes === undefined) return;
    const all = await within(notes.all(), NOTES_MS, () => new Error('Redis does not answer'));
    this.noted = new Map(
      [...all].flatMap(([key, text]) => {
        const note = noteOf(text);
        return note === undefined ? [] : [[key, note] as const];
      }),
    );
  }

  private async forget(key: string): Promise<void> {
    const { notes, log } = this.parts;
    this.unsaved.delete(key);
    try {
      await notes?.remove(key);
    } catch (error) {
      log.debug('what is no longer bound stays noted', { error: String(error) });
    }
  }
}

const OF_OPERATOR = 'exchange ';
const OF_INSTANCE = 'instance ';

/** Anybody may have written it. */
function noteOf(text: string): Note | undefined {
  try {
    const { patterns, at } = JSON.parse(text) as Partial<Note>;
    return Array.isArray(patterns) &&
      patterns.every((each) => typeof each === 'string') &&
      typeof at === 'number'
      ? { patterns, at }
      : undefined;
  } catch {
    return undefined;
  }
}
