import { BATCH } from './api';

/** A message at a queue, by the receipt that it was last received with. */
export interface Receipt {
  readonly queueUrl: string;
  handle: string;
}

/**
 * Gathers what is to be done to messages into batches, per queue: sent when one is full, or a moment after its first
 * entry came.
 */
export class Batches<T extends Receipt> {
  private readonly pending = new Map<string, T[]>();
  private timer: NodeJS.Timeout | undefined;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly lingerMs: number,
    /** Must not reject. */
    private readonly send: (queueUrl: string, entries: readonly T[]) => Promise<void>,
  ) {}

  get isEmpty(): boolean {
    return this.pending.size === 0 && this.underWay.size === 0;
  }

  add(entry: T): void {
    const entries = this.pending.get(entry.queueUrl);
    if (entries === undefined) this.pending.set(entry.queueUrl, [entry]);
    else entries.push(entry);
    if ((entries?.length ?? 1) >= BATCH) this.dispatch(entry.queueUrl);
    else this.timer ??= setTimeout(() => this.flush(), this.lingerMs);
  }

  /** Sends everything now; resolves when all that was sent is answered. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const queueUrl of [...this.pending.keys()]) this.dispatch(queueUrl);
    await Promise.all(this.underWay);
  }

  private dispatch(queueUrl: string): void {
    const entries = this.pending.get(queueUrl) ?? [];
    this.pending.delete(queueUrl);
    for (let start = 0; start < entries.length; start += BATCH) {
      const sent = this.send(queueUrl, entries.slice(start, start + BATCH)).finally(() =>
        this.underWay.delete(sent),
      );
      this.underWay.add(sent);
    }
  }
}
