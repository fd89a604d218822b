import { setTimeout as delay } from 'node:timers/promises';
import type { EntryFailure, SqsApi } from './api';
import { Batches, type Receipt } from './batches';
import { troubleOf } from './trouble';

export interface DeletionsParts<T> {
  readonly api: Pick<SqsApi, 'remove'>;
  /** It is deleted, or cannot be with this receipt: it comes again then. */
  readonly onDone: (message: T) => void;
}

/** How long a batch waits for more: what is settled close together goes as one call. */
const LINGER_MS = 25;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5000;
/** When closing, a delete that fails is tried this often: the message comes again where it does not succeed. */
const LAST_TRIES = 3;

/** Deletes messages in batches; what fails in part or as a whole is tried again. */
export class Deletions<T extends Receipt> {
  private readonly batches: Batches<T>;
  private readonly retries = new Set<Promise<void>>();
  private readonly tries = new Map<T, number>();
  private readonly closing = new AbortController();

  constructor(private readonly parts: DeletionsParts<T>) {
    this.batches = new Batches(LINGER_MS, (queueUrl, messages) => this.send(queueUrl, messages));
  }

  add(message: T): void {
    this.batches.add(message);
  }

  /** Tries what is left a last few times. */
  async close(): Promise<void> {
    this.tries.clear();
    this.closing.abort();
    do {
      await Promise.all(this.retries);
      await this.batches.flush();
      await Promise.all(this.retries);
    } while (!this.batches.isEmpty);
  }

  private async send(queueUrl: string, messages: readonly T[]): Promise<void> {
    let failures: readonly (EntryFailure | undefined)[];
    try {
      failures = await this.parts.api.remove(
        queueUrl,
        messages.map(({ handle }) => handle),
      );
    } catch (error) {
      failures = messages.map(() => ({ code: 'FAILED', isFinal: troubleOf(error) === 'gone' }));
    }
    messages.forEach((message, index) => {
      const failure = failures[index];
      if (failure !== undefined && !failure.isFinal) this.retry(message);
      else {
        this.tries.delete(message);
        this.parts.onDone(message);
      }
    });
  }

  private retry(message: T): void {
    const tries = (this.tries.get(message) ?? 0) + 1;
    if (this.closing.signal.aborted && tries >= LAST_TRIES) return;
    this.tries.set(message, tries);
    const pauseMs = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** Math.min(tries - 1, 10));
    const again = delay(pauseMs, undefined, { signal: this.closing.signal })
      .catch(() => {})
      .then(() => {
        this.retries.delete(again);
        this.batches.add(message);
      });
    this.retries.add(again);
  }
}
