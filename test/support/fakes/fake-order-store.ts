import type { RawEntry } from '../../../src/worker/order-view';

const HEARD_MS = 60_000;
/** Shorter than in Redis, as here everything that a worker held goes back at once. */
const GONE_MS = 70_000;
const SWEEP_AGAIN_MS = 60_000;

interface Entry {
  state: string;
  since: number;
  readonly unclean: Set<string>;
  swept?: number | undefined;
  sweep?: { readonly began: number; sent: number; readonly gone: readonly string[] } | undefined;
}

/** What the scripts of src/redis/order-scripts.ts do, in memory. */
export class FakeOrderStore {
  readonly isReady = true;
  readonly entries = new Map<string, Entry>();
  private readonly heard = new Map<string, number>();

  async call(script: string, ...args: readonly (string | number)[]): Promise<unknown> {
    const texts = args.map(String);
    if (script === 'relayOrder') return this.order(texts);
    if (script === 'relayOrderJoin') this.join(texts);
    if (script === 'relayOrderDone') this.done(texts);
    if (script === 'relayOrderSwept') this.swept(texts);
    return 1;
  }

  private order([worker = '', ...clean]: readonly string[]): RawEntry[] {
    const now = Date.now();
    this.heard.set(worker, now);
    for (const [name, at] of this.heard) if (at < now - GONE_MS) this.heard.delete(name);
    return [...this.entries].map(([id, entry]) => {
      const { state, since, unclean } = entry;
      const generation = String(entry.swept ?? since);
      for (let index = 0; index < clean.length; index += 2)
        if (clean[index] === id && clean[index + 1] === generation) unclean.delete(worker);
      const sweep = state === 'ordered' ? this.sweepOf(entry, now) : '';
      return [id, state, String(since), now - since, unclean.size, generation, sweep];
    });
  }

  private sweepOf(entry: Entry, now: number): string {
    if (entry.sweep === undefined) {
      const gone = [...entry.unclean].filter((name) => !this.heard.has(name));
      if (gone.length === 0) return '';
      entry.sweep = { began: now, sent: now, gone };
    } else if (now - entry.sweep.sent < SWEEP_AGAIN_MS) return '';
    entry.sweep.sent = now;
    return String(entry.sweep.began);
  }

  private join(ids: readonly string[]): void {
    for (const id of ids)
      if (!this.entries.has(id))
        this.entries.set(id, { state: 'joining', since: Date.now(), unclean: new Set() });
  }

  private done([id = '', since]: readonly string[]): void {
    const entry = this.entries.get(id);
    if (entry?.state !== 'joining' || String(entry.since) !== since) return;
    this.mayHold(entry, entry.since);
    Object.assign(entry, { state: 'ordered', since: Date.now() });
  }

  private swept([id = '', began]: readonly string[]): void {
    const entry = this.entries.get(id);
    if (entry?.sweep === undefined || String(entry.sweep.began) !== began) return;
    for (const name of entry.sweep.gone) entry.unclean.delete(name);
    this.mayHold(entry, entry.sweep.began);
    entry.swept = Date.now();
    entry.sweep = undefined;
  }

  private mayHold({ unclean }: Entry, since: number): void {
    for (const [name, at] of this.heard) if (at >= since - HEARD_MS) unclean.add(name);
  }
}
