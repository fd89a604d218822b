import { StoreUnavailableError } from '../errors';
import { CommitTurns } from './commit-turns';
import { NotStoredError, type Step, type StoredCalls } from './retry-store';

/** One change of what is stored. */
export interface Change {
  /** About how much memory `prepare` takes. */
  readonly bytes: number;
  /** With whom it takes turns, where it has a body; left out of what is small. */
  readonly group?: string | undefined;
  /** Called once, right before the change is first sent: what it makes exists for a few transactions' changes only. */
  readonly prepare: () => Step | Promise<Step>;
  /** Asked right before the change would be sent; not once it may be stored. */
  readonly isWithdrawn?: () => boolean;
}

interface Pending {
  readonly bytes: number;
  readonly group: string | undefined;
  readonly change: Change;
  step?: Step;
  readonly resolve: (how: 'stored' | 'withdrawn') => void;
  readonly reject: (error: StoreUnavailableError) => void;
}

const MAX_CHANGES = 64;
/** Transactions under way at once: while Redis works on one, the next one is prepared and sent. */
const SENDERS = 3;
/** All other calls to Redis wait behind what is on its way. */
const MAX_BYTES = 2 * 1024 * 1024;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 2000;

/**
 * Sends changes to Redis together, a few transactions at a time, and keeps trying while Redis is away: callers hold
 * what they have until their change is stored. A change that must follow another one is asked for once that one is
 * stored; others are taken in turns (commit-turns.ts). What can wait here is bounded by what sources may hold.
 */
export class GroupCommit {
  private readonly pending = new CommitTurns<Pending>();
  private senders = 0;
  private closed = false;
  private limit = MAX_CHANGES;
  private readonly paused = new Set<() => void>();

  constructor(
    private readonly store: Pick<StoredCalls, 'write'>,
    private readonly onUnavailable: (error: unknown) => void,
  ) {}

  /** Resolves once stored. Rejects with StoreUnavailableError only after `close`. */
  commit(change: Change): Promise<'stored' | 'withdrawn'> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new StoreUnavailableError('the store is closed'));
        return;
      }
      const { bytes, group } = change;
      this.pending.add({ bytes, group, change, resolve, reject });
      if (this.needsSender) void this.work();
    });
  }

  /** Gives up on what is not stored by now. */
  close(): void {
    this.closed = true;
    for (const { reject } of this.pending.takeAll()) reject(new StoreUnavailableError('the store is closed'));
    for (const wake of this.paused) wake();
  }

  /** A second one only for a full transaction: otherwise changes gather until the first one is back. */
  private get needsSender(): boolean {
    if (this.senders === 0) return true;
    const isFailing = this.limit < MAX_CHANGES;
    const isFull = this.pending.length >= MAX_CHANGES || this.pending.bytes >= MAX_BYTES;
    return this.senders < SENDERS && isFull && !isFailing;
  }

  private async work(): Promise<void> {
    this.senders++;
    // What is asked for in the same turn of the event loop goes into the same transaction.
    await new Promise(setImmediate);
    let delayMs = RETRY_FIRST_MS;
    while (this.pending.length > 0) {
      const batch = this.take();
      if (this.needsSender) void this.work();
      try {
        if (batch.length > 0) await this.send(batch);
        this.limit = MAX_CHANGES;
        delayMs = RETRY_FIRST_MS;
      } catch (error) {
        const left =
          error instanceof NotStoredError ? this.putRefusedLast(unresolvedOf(batch, error)) : batch;
        this.putBack(left);
        this.onUnavailable(error);
        if (error instanceof NotStoredError && error.unresolved.size < batch.length) delayMs = RETRY_FIRST_MS;
        await this.pause(delayMs);
        delayMs = Math.min(delayMs * 2, RETRY_LAST_MS);
      }
    }
    this.senders--;
  }

  private take(): Pending[] {
    const batch: Pending[] = [];
    let bytes = 0;
    while (batch.length < this.limit && bytes < MAX_BYTES) {
      const next = this.pending.take();
      if (next === undefined) break;
      if (next.step?.wasSent !== true && next.change.isWithdrawn?.()) next.resolve('withdrawn');
      else {
        batch.push(next);
        bytes += next.bytes;
      }
    }
    return batch;
  }

  private async send(batch: readonly Pending[]): Promise<void> {
    const prepared = await Promise.allSettled(
      batch.map(async (pending) => {
        pending.step ??= await pending.change.prepare();
      }),
    );
    // Not before all have ended: one still under way would take the place of a step that was sent meanwhile.
    for (const each of prepared) if (each.status === 'rejected') throw each.reason;
    await this.store.write(batch.flatMap(({ step }) => step ?? []));
    for (const { resolve } of batch) resolve('stored');
  }

  /** Small ones that were not stored, however many, let all go first that wait by now; the rest. */
  private putRefusedLast(refused: readonly Pending[]): Pending[] {
    if (this.closed) return [...refused];
    for (const each of refused) if (each.group === undefined) this.pending.add(each);
    return refused.filter(({ group }) => group !== undefined);
  }

  /** Smaller transactions next time, and last in line when alone: one change that Redis refuses delays no other. */
  private putBack(batch: Pending[]): void {
    if (batch.length === 0) {
      this.limit = MAX_CHANGES;
      return;
    }
    if (this.closed) {
      for (const { reject } of batch) reject(new StoreUnavailableError('the store is closed'));
      return;
    }
    if (batch.length > 1) this.pending.putBack(batch);
    else for (const each of batch) this.pending.add(each);
    this.limit = Math.max(1, Math.floor(batch.length / 2));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.paused.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, this.closed ? 0 : ms);
      this.paused.add(wake);
    });
  }
}

/** Those of a batch that are not stored; the others are done. */
function unresolvedOf(batch: readonly Pending[], { unresolved }: NotStoredError): Pending[] {
  for (const [index, { resolve }] of batch.entries()) if (!unresolved.has(index)) resolve('stored');
  return batch.filter((_, index) => unresolved.has(index));
}
