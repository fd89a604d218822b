import { LRUCache } from 'lru-cache';
import type { Envelope } from '../events/envelope';
import { lidViewOf, withNumbers } from '../events/normalise-lids';
import type { StoredCalls } from '../retry/retry-store';
import { Looks } from '../time/looks';
import { endsWithin } from '../time/within';

export interface LidBookParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  readonly onError: (error: unknown) => void;
}

/** LIDs that this worker knows. */
const MAX_KNOWN = 100_000;
/** What another worker learned, or that somebody has two numbers, is known after this at the latest. */
const KNOWN_MS = 600_000;
const UNKNOWN_MS = 30_000;
/** Instances whose events teach: those that a destination wants numbers of. */
const MAX_INSTANCES = 20_000;
/** A delivery waits no longer for what Redis knows. */
const ASK_MS = 100;
const LEARN_MS = 500;
/** Pairs that wait to be written; further ones are learned when they come again. */
const MAX_UNWRITTEN = 10_000;
/** The cache takes memory as it fills: given `max` it would take that of all of them at once, four megabytes. */
const FILLED_UP_TO = { maxSize: MAX_KNOWN, sizeCalculation: () => 1, ttl: KNOWN_MS };
const AT_ONCE = 500;
/** LIDs of one instance, twice: a full hash makes way for the next one. */
const MAX_OF_INSTANCE = 10_000;
const KEPT_MS = 90 * 86_400_000;

interface Asked {
  readonly instance: string;
  readonly lid: string;
}

interface Learned extends Asked {
  readonly number: string;
}

/** In place of a number: nobody knows it, or two are known. */
const UNKNOWN = '';
const CONFLICT = '!';

/**
 * Phone numbers of LIDs, as any of the workers learnt them from the events of their instance. Redis is asked and written in batches;
 * while it is slow or away, events go out with what this worker knows.
 */
export class LidBook {
  private readonly known = new LRUCache<string, string>(FILLED_UP_TO);
  private readonly wanted = new LRUCache<string, true>({ max: MAX_INSTANCES });
  private unwritten: Learned[] = [];
  private asking: { readonly asked: Map<string, Asked>; readonly answered: Promise<void> } | undefined;
  private readonly looks = new Looks(LEARN_MS, () => this.write());

  constructor(private readonly parts: LidBookParts) {}

  start(): void {
    this.looks.start();
  }

  /** Writes what it learned last. */
  async stop(): Promise<void> {
    await this.looks.stop();
    await this.write();
  }

  /** Learns from an event of an instance whose numbers are wanted. */
  heard(envelope: Envelope): void {
    if (this.wanted.has(envelope.instance)) this.learn(envelope);
  }

  /** The event with numbers in place of LIDs, as far as they are known. Never rejects. */
  prepare(envelope: Envelope): Envelope | Promise<Envelope> {
    const { instance } = envelope;
    if (!this.wanted.has(instance)) {
      this.wanted.set(instance, true);
      this.learn(envelope);
    }
    const { unknown } = lidViewOf(envelope);
    const asked = unknown.filter((lid) => !this.known.has(keyOf(instance, lid)));
    if (asked.length === 0 || !this.parts.store.isReady) return this.rewritten(envelope);
    return endsWithin(this.ask(asked.map((lid) => ({ instance, lid }))), ASK_MS).then(() =>
      this.rewritten(envelope),
    );
  }

  private rewritten(envelope: Envelope): Envelope {
    const { instance } = envelope;
    return withNumbers(envelope, (lid) => {
      const number = this.known.get(keyOf(instance, lid)) ?? UNKNOWN;
      if (number === UNKNOWN) return undefined;
      return number === CONFLICT ? 'conflict' : number;
    });
  }

  private learn(envelope: Envelope): void {
    const { instance } = envelope;
    for (const { lid, number } of lidViewOf(envelope).pairs) {
      const key = keyOf(instance, lid);
      const before = this.known.get(key) ?? UNKNOWN;
      if (before === number || before === CONFLICT || this.unwritten.length >= MAX_UNWRITTEN) continue;
      this.known.set(key, before === UNKNOWN ? number : CONFLICT);
      this.unwritten.push({ instance, lid, number });
    }
  }

  /** What is asked for within one turn of the event loop is one question. */
  private ask(all: readonly Asked[]): Promise<void> {
    if (this.asking === undefined) {
      const asked = new Map<string, Asked>();
      const answered = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.asking = undefined;
        return this.read([...asked.values()]);
      });
      this.asking = { asked, answered };
    }
    for (const each of all) this.asking.asked.set(keyOf(each.instance, each.lid), each);
    return this.asking.answered;
  }

  private async read(asked: readonly Asked[]): Promise<void> {
    const { store, onError } = this.parts;
    try {
      for (let start = 0; start < asked.length; start += AT_ONCE) {
        const some = asked.slice(start, start + AT_ONCE);
        const args = some.flatMap(({ instance, lid }) => [instance, lid]);
        const numbers = (await store.call('relayLidsOf', ...args)) as readonly string[];
        for (const [index, { instance, lid }] of some.entries())
          this.note(keyOf(instance, lid), numbers[index] ?? UNKNOWN);
      }
    } catch (error) {
      onError(error);
    }
  }

  private note(key: string, number: string): void {
    // What was learned here meanwhile is newer.
    if ((this.known.get(key) ?? UNKNOWN) !== UNKNOWN) return;
    this.known.set(key, number, { ttl: number === UNKNOWN ? UNKNOWN_MS : KNOWN_MS });
  }

  private async write(): Promise<void> {
    const { store, onError } = this.parts;
    if (!store.isReady) return;
    const learned = this.unwritten;
    this.unwritten = [];
    try {
      for (let start = 0; start < learned.length; start += AT_ONCE) {
        const some = learned.slice(start, start + AT_ONCE);
        const args = some.flatMap(({ instance, lid, number }) => [instance, lid, number]);
        await store.call('relayLidsLearn', MAX_OF_INSTANCE, KEPT_MS, ...args);
      }
    } catch (error) {
      // They are learned when they come again.
      for (const { instance, lid } of learned) this.known.delete(keyOf(instance, lid));
      onError(error);
    }
  }
}

function keyOf(instance: string, lid: string): string {
  return `${lid} ${instance}`;
}
