import { Looks } from '../time/looks';
import { monotonicMs } from '../time/monotonic';
import { AlertBook, type AlertBookParts } from './alert-book';
import type { Condition, Seen } from './alert-causes';
import type { AlertReadings } from './alert-readings';
import type { AlertLease, AlertStore } from './alert-store';
import { nothingTold } from './told-alerts';

export interface AlertWatchParts extends Omit<AlertBookParts, 'onTold'> {
  readonly store: Pick<AlertStore, 'isReady' | 'lease' | 'keep' | 'leave' | 'newDeadLetters'>;
  readonly readings: Pick<AlertReadings, 'read'>;
  /** Whether this worker says that Redis is away: the first one of those that share a machine does. */
  readonly saysAway: boolean;
  /** How Redis is, in words that may be shown. */
  readonly redisDetail: () => string;
  readonly onError: (error: unknown) => void;
}

const LOOK_MS = 5000;
/** A worker that is gone is replaced within this. */
const LEASE_MS = 30_000;
/** Redis that restarts, or changes its master, is away for less. */
const AWAY_MS = 60_000;
const NO_DEAD_LETTERS = { count: 0, reasons: {}, until: 0 };

/**
 * Alerts the operator from one of all workers, which Redis chooses. While Redis answers none of them it cannot choose: each worker
 * then sends the alert that Redis is away itself, under the same id; of those under one supervisor only the first one does.
 */
export class AlertWatch {
  private readonly looks = new Looks(LOOK_MS, () => this.look());
  /** Undefined: another worker alerts. */
  private book: AlertBook | undefined;
  /** What this worker says alone, of Redis. */
  private readonly alone: AlertBook;
  private isUnkept = false;
  private awaySince: number | undefined;

  constructor(private readonly parts: AlertWatchParts) {
    this.alone = new AlertBook({ ...parts, onTold: () => {} }, nothingTold(0));
  }

  start(): void {
    this.looks.start();
  }

  /** What is under way is cut short, and said by another worker. */
  async stop(): Promise<void> {
    await this.looks.stop();
    await this.alone.stop();
    if (this.book === undefined) return;
    await this.leave();
    await this.parts.store.leave(this.looks.worker).catch(this.parts.onError);
  }

  /** Reads how everything is, and sends what is due. */
  async look(): Promise<void> {
    try {
      if (!this.parts.store.isReady) return this.tellAway();
      const lease = await this.lease();
      if (lease !== undefined) await this.follow(lease);
    } catch (error) {
      this.parts.onError(error);
    }
  }

  /** Undefined where another worker alerts, or Redis does not answer. */
  private async lease(): Promise<AlertLease | undefined> {
    let lease: AlertLease | undefined;
    try {
      lease = await this.parts.store.lease(this.looks.worker, LEASE_MS);
    } catch (error) {
      this.tellAway();
      throw error;
    }
    this.awaySince = undefined;
    this.tellAlone([]);
    if (lease === undefined) await this.leave();
    return lease;
  }

  private async follow({ now, told }: AlertLease): Promise<void> {
    const { store, readings } = this.parts;
    if (this.book === undefined) {
      this.book = new AlertBook({ ...this.parts, onTold: () => void this.keep() }, told ?? nothingTold(now));
      this.isUnkept = told === undefined;
    }
    const { book } = this;
    const [{ conditions, unread }, deadLetters] = await Promise.all([
      readings.read(now),
      store.newDeadLetters(book.told.deadUntil),
    ]);
    book.follow({ now, conditions, unread, deadLetters });
    if (this.isUnkept) await this.keep();
  }

  private async keep(): Promise<void> {
    const { book } = this;
    if (book === undefined) return;
    this.isUnkept = true;
    try {
      if (!(await this.parts.store.keep(this.looks.worker, book.told))) return await this.leave();
      this.isUnkept = false;
    } catch (error) {
      this.parts.onError(error);
    }
  }

  private async leave(): Promise<void> {
    const { book } = this;
    this.book = undefined;
    await book?.stop();
  }

  private tellAway(): void {
    if (!this.parts.saysAway) return;
    const now = monotonicMs();
    this.awaySince ??= now;
    const awayMs = now - this.awaySince;
    if (awayMs < AWAY_MS) return;
    const detail = this.parts.redisDetail();
    this.tellAlone([{ cause: 'redis-at-risk', subject: 'connection', since: Date.now() - awayMs, detail }]);
  }

  private tellAlone(conditions: readonly Condition[]): void {
    const isSaid = Object.keys(this.alone.told.standing).length > 0;
    if (conditions.length === 0 && !isSaid) return;
    const seen: Seen = { now: Date.now(), conditions, unread: new Set(), deadLetters: NO_DEAD_LETTERS };
    this.alone.follow(seen);
  }
}
