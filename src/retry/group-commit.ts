import { StoreUnavailableError } from '../errors';
import { CommitTurns } from './commit-turns';
import {
  type Change,
  endsWithdrawn,
  forgetStep,
  giveUp,
  MAX_BYTES,
  type Pending,
  prepare,
  resolveStored,
  takeSome,
} from './pending-change';
import { RefusedChanges } from './refused-changes';
import { NotStoredError, type StoredCalls } from './retry-store';

/** What became of some changes that were sent together. */
interface Sent {
  readonly stored: number;
  /** By themselves; what is not refused may be stored, or Redis is away. */
  readonly refused: readonly Pending[];
  readonly left: readonly Pending[];
}

const MAX_CHANGES = 64;
/** Transactions under way at once: while Redis works on one, the next one is prepared and sent. */
const SENDERS = 3;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 2000;

/**
 * Sends changes to Redis together, a few transactions at a time, and keeps trying while Redis is away: callers hold
 * what they have until their change is stored. A change that must follow another one, as it is about the same delivery or
 * lane, is asked for once that one is stored; others are taken in turns (commit-turns.ts), and what Redis refuses is
 * asked for again apart from them (refused-changes.ts). What can wait here is bounded by what sources may hold.
 */
export class GroupCommit {
  private readonly pending = new CommitTurns<Pending>();
  private senders = 0;
  private closed = false;
  private limit = MAX_CHANGES;
  private readonly paused = new Set<() => void>();
  private readonly refused = new RefusedChanges<Pending>({
    take: takeRefused,
    send: (batch) => this.sendRefused(batch),
  });

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
    giveUp([...this.pending.takeAll(), ...this.refused.takeAll()]);
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
      const batch = takeSome(() => this.pending.take(), this.limit);
      if (this.needsSender) void this.work();
      const { refused, left } = await this.send(batch);
      this.keepApart(refused);
      if (left.length === 0) {
        this.limit = MAX_CHANGES;
        delayMs = RETRY_FIRST_MS;
        continue;
      }
      this.putBack(left);
      await this.pause(delayMs);
      delayMs = Math.min(delayMs * 2, RETRY_LAST_MS);
    }
    this.senders--;
  }

  private async send(batch: readonly Pending[]): Promise<Sent> {
    const { prepared, failed, error } = await prepare(batch);
    if (failed.length > 0) this.onUnavailable(error);
    try {
      if (prepared.length > 0) await this.store.write(prepared.flatMap(({ step }) => step ?? []));
    } catch (error) {
      this.onUnavailable(error);
      if (!(error instanceof NotStoredError)) return { stored: 0, refused: failed, left: prepared };
      const stored = resolveStored(prepared.filter((_, index) => error.isStored(index)));
      const refused = prepared.filter((_, index) => error.isRefused(index));
      const left = prepared.filter((_, index) => !error.isStored(index) && !error.isRefused(index));
      return { stored, refused: [...failed, ...refused], left };
    }
    return { stored: resolveStored(prepared), refused: failed, left: [] };
  }

  private async sendRefused(batch: readonly Pending[]): Promise<'some stored' | 'none stored'> {
    const { stored, refused, left } = await this.send(batch);
    this.keepApart(refused);
    if (this.closed) giveUp(left);
    else this.refused.putBack(left);
    return stored > 0 ? 'some stored' : 'none stored';
  }

  private keepApart(refused: readonly Pending[]): void {
    if (this.closed) return giveUp(refused);
    for (const pending of refused) forgetStep(pending);
    this.refused.add(refused);
  }

  /** Smaller transactions next time, and last in line when alone: one change with which each call is lost delays no other. */
  private putBack(batch: readonly Pending[]): void {
    if (this.closed) return giveUp(batch);
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

/** One that was withdrawn may be many turns away, and somebody waits for the answer. */
function takeRefused(waiting: readonly Pending[]): { batch: Pending[]; left: Pending[] } {
  const left = waiting.filter((pending) => !endsWithdrawn(pending));
  return { batch: takeSome(() => left.shift(), MAX_CHANGES), left };
}
