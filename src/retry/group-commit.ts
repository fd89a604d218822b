import { StoreUnavailableError } from '../errors';
import type { RetryStore, Step } from './store';

/** One change of what is stored. */
export interface Change {
  /** About how much memory `prepare` takes. */
  readonly bytes: number;
  /** Called once, shortly before the change is first sent: what it makes exists for two transactions' changes only. */
  readonly prepare: () => Step | Promise<Step>;
  /** Asked right before the change would be sent. */
  readonly isWithdrawn?: () => boolean;
}

interface Pending {
  readonly change: Change;
  step?: Step;
  readonly resolve: (how: 'stored' | 'withdrawn') => void;
  readonly reject: (error: StoreUnavailableError) => void;
}

/** A fraction of what sources hold by default, so that one batch is prepared while another one is stored. */
const MAX_CHANGES = 64;
const MAX_BYTES = 8 * 1024 * 1024;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 2000;

/**
 * Sends changes to Redis together, one transaction after another, and keeps trying while Redis is away: callers
 * hold what they have until their change is stored. What can wait here is bounded by what sources may hold.
 */
export class GroupCommit {
  private pending: Pending[] = [];
  private working = false;
  private closed = false;
  private limit = MAX_CHANGES;
  private wake: (() => void) | undefined;

  constructor(
    private readonly store: RetryStore,
    private readonly onUnavailable: (error: unknown) => void,
  ) {}

  /** Resolves once stored. Rejects with StoreUnavailableError only after `close`. */
  commit(change: Change): Promise<'stored' | 'withdrawn'> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new StoreUnavailableError('the store is closed'));
        return;
      }
      this.pending.push({ change, resolve, reject });
      if (!this.working) void this.work();
    });
  }

  /** Gives up on what is not stored by now. */
  close(): void {
    this.closed = true;
    for (const { reject } of this.pending.splice(0)) reject(new StoreUnavailableError('the store is closed'));
    this.wake?.();
  }

  private async work(): Promise<void> {
    this.working = true;
    // What is asked for in the same turn of the event loop goes into the same transaction.
    await new Promise(setImmediate);
    let delayMs = RETRY_FIRST_MS;
    while (this.pending.length > 0) {
      const batch = this.take();
      try {
        await prepare(batch);
        // The next ones are prepared while these are stored; where that fails it is tried again when they are taken.
        await Promise.all([this.send(batch), prepare(this.peek()).catch(() => {})]);
        this.limit = MAX_CHANGES;
        delayMs = RETRY_FIRST_MS;
      } catch (error) {
        this.putBack(batch);
        this.onUnavailable(error);
        await this.pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_LAST_MS);
      }
    }
    this.working = false;
  }

  private take(): Pending[] {
    const batch = this.peek();
    this.pending.splice(0, batch.length);
    return batch.filter(({ change, resolve }) => {
      const isWithdrawn = change.isWithdrawn?.() ?? false;
      if (isWithdrawn) resolve('withdrawn');
      return !isWithdrawn;
    });
  }

  /** The next batch, which stays where it is. */
  private peek(): Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    for (const next of this.pending) {
      if (batch.length === this.limit || bytes >= MAX_BYTES) break;
      batch.push(next);
      bytes += next.change.bytes;
    }
    return batch;
  }

  private async send(batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return;
    await this.store.transaction(batch.flatMap(({ step }) => step ?? []));
    for (const { resolve } of batch) resolve('stored');
  }

  /** Smaller transactions next time, and last in line when alone: one change that Redis refuses delays no other. */
  private putBack(batch: Pending[]): void {
    if (this.closed) {
      for (const { reject } of batch) reject(new StoreUnavailableError('the store is closed'));
      return;
    }
    if (batch.length > 1) this.pending = [...batch, ...this.pending];
    else this.pending.push(...batch);
    this.limit = Math.max(1, Math.floor(batch.length / 2));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.closed ? 0 : ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

async function prepare(batch: readonly Pending[]): Promise<void> {
  await Promise.all(
    batch.map(async (pending) => {
      pending.step ??= await pending.change.prepare();
    }),
  );
}
