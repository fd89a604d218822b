import { StoreUnavailableError } from '../errors';
import type { Rate } from '../pipeline/destination-limits';
import type { Permits } from '../pipeline/permits';
import { monotonicMs } from '../time/monotonic';
import { within } from '../time/within';
import { LeaseTurns } from './lease-turns';
import { OwnShare } from './own-share';
import type { Lease, Leasing } from './permit-lease';
import { PermitStock } from './permit-stock';
import { RetryTurns } from './retry-turns';

export interface LeasedPermitsParts {
  readonly rate: Rate;
  readonly lease: Leasing;
  /** Fresh deliveries that wait for a place. */
  readonly waiting: () => number;
  /** There are permits again. */
  readonly onFree: () => void;
  readonly onError: (error: unknown) => void;
}

/** One lease has no more than this part of the count, so that no worker takes what the others need. */
const MOST_AT_ONCE = 1 / 8;
/** While permits are short, they are asked for when about this many have come free, */
const WORTH_ASKING = 16;
/** but no more often, and no less often, than this, and some times in each window. */
const ASK_MS = { least: 50, most: 500, ofWindow: 0.125 };
/** Beside two such pauses, the time that an answer may take without being lost; no more than a part of the window. */
const LAG = { ms: 100, ofWindow: 0.25 };
/** Part of the window after which unused permits are given back. */
const LIFE = { ofWindow: 0.05, leastMs: 50, mostMs: 1000 };
/** A lease that takes longer counts as none: Redis is silent. */
const ANSWER_MS = 500;
/** How often Redis is asked while it is away, or has none. */
const AGAIN_MS = 1000;

/** What the last answer said, if there was one; a worker that hears nothing goes by its own share. */
type Contact =
  | { readonly kind: 'none' }
  | { readonly kind: 'away' }
  | (Pick<Lease, 'free' | 'workers'> & {
      readonly kind: 'heard';
      readonly at: number;
      readonly nextAt: number;
    });

class LeaseLateError extends StoreUnavailableError {}

/**
 * Permits of one destination, leased from Redis a few at a time: as many as wait, or were used lately within the time that
 * they last. Unused ones are given back. While Redis is away the worker goes on with its own part of the rate.
 */
export class LeasedPermits implements Permits {
  private readonly stock: PermitStock;
  private readonly own: OwnShare;
  private readonly retries = new RetryTurns();
  private readonly pauseMs: number;
  private readonly lagMs: number;
  private readonly lifeMs: number;
  private readonly uses = { since: 0, now: 0, before: 0 };
  private contact: Contact = { kind: 'none' };
  private readonly turns = new LeaseTurns(() => this.askWanted());
  private returning: NodeJS.Timeout | undefined;

  constructor(private readonly parts: LeasedPermitsParts) {
    const { count, seconds } = parts.rate;
    this.own = new OwnShare(parts.rate);
    const windowMs = seconds * 1000;
    const mostMs = Math.min(ASK_MS.most, ASK_MS.ofWindow * windowMs);
    this.pauseMs = between(ASK_MS.least, (WORTH_ASKING * windowMs) / count, mostMs);
    this.lagMs = Math.min(2 * this.pauseMs + LAG.ms, LAG.ofWindow * windowMs);
    this.lifeMs = between(LIFE.leastMs, LIFE.ofWindow * windowMs, LIFE.mostMs);
    this.stock = new PermitStock(this.lifeMs);
  }

  get isFree(): boolean {
    return this.isThere(this.retries.kept);
  }

  get isFreeForRetry(): boolean {
    return this.isThere(0);
  }

  get readyForRetries(): number {
    const now = monotonicMs();
    this.expire(now);
    return this.stock.count + (this.isAway && this.own.hasRoom(now) ? 1 : 0);
  }

  get forRetries(): number {
    if (this.isAway) return this.readyForRetries;
    const now = monotonicMs();
    return this.readyForRetries + this.retries.mostWaiting(this.nextMs(now), this.own.paceMs);
  }

  get noneForRetriesMs(): number {
    const now = monotonicMs();
    return this.isAway ? this.own.waitMs(1, now) : this.retries.tooEarlyMs(this.nextMs(now));
  }

  take(isRetry: boolean): void {
    const now = monotonicMs();
    this.expire(now);
    this.own.use(now);
    this.countUse(now);
    if (isRetry) this.retries.began();
    this.stock.take();
  }

  waitMs(wanted: number): number {
    const now = monotonicMs();
    const { contact } = this;
    if (contact.kind === 'away') return this.own.waitMs(wanted, now);
    if (contact.kind === 'none') return 0;
    const isRecent = now - contact.at < this.lifeMs;
    const soon = this.stock.count + (isRecent ? contact.free / contact.workers : 0);
    if (wanted <= soon) return 0;
    return Math.max(0, contact.nextAt - now) + (wanted - soon) * this.own.paceMs;
  }

  forRetry(): Promise<boolean> {
    if (this.turns.isClosed || this.isAway || !this.retries.mayWait(this.nextMs(monotonicMs())))
      return Promise.resolve(false);
    const turn = this.retries.wait();
    this.turns.want();
    return turn;
  }

  close(): void {
    this.turns.close();
    clearTimeout(this.returning);
    this.retries.close();
  }

  private get isAway(): boolean {
    return this.contact.kind === 'away';
  }

  /** Until some may be free: others may take them first. */
  private nextMs(now: number): number {
    return this.contact.kind === 'heard' ? Math.max(0, this.contact.nextAt - now) : 0;
  }

  /** @param kept for others */
  private isThere(kept: number): boolean {
    const now = monotonicMs();
    this.expire(now);
    if (this.stock.count > kept) return true;
    this.turns.want();
    return this.isAway && this.own.hasRoom(now);
  }

  private askWanted(): void {
    const { wanted } = this;
    if (wanted > 0 || this.isAway) void this.ask(wanted);
  }

  /** As many as wait, at least as many as are used within a lease's life. */
  private get wanted(): number {
    const waiting = this.parts.waiting() + this.retries.waiting;
    if (waiting === 0) return 0;
    const most = Math.ceil(this.parts.rate.count * MOST_AT_ONCE);
    return Math.min(most, Math.max(waiting, this.uses.now, this.uses.before));
  }

  private async ask(wanted: number): Promise<void> {
    const waitedMs = this.turns.begin();
    if (waitedMs === undefined) return;
    const told = this.stock.report();
    const askedAt = monotonicMs();
    const answer = this.parts.lease({ wanted, waitedMs: Math.min(waitedMs, this.lagMs), ...told });
    try {
      const lease = await within(answer, ANSWER_MS, () => new LeaseLateError('Redis is silent'));
      this.took(lease, wanted, monotonicMs() - askedAt);
    } catch (error) {
      this.stock.oweAgain(told);
      this.wentAway(error);
      if (error instanceof LeaseLateError)
        answer.then(({ charges }) => this.stock.addUnused(charges)).catch(() => {});
    }
  }

  private took(lease: Lease, wanted: number, answerMs: number): void {
    const now = monotonicMs();
    const { charges, free, workers, nextMs } = lease;
    const count = this.stock.add(charges, now);
    this.contact = { kind: 'heard', free, workers, at: now, nextAt: now + nextMs };
    this.own.isOneOf(workers);
    this.retries.answeredAfter(answerMs, this.own.paceMs);
    if (wanted === 0) this.turns.unserved();
    else if (count >= wanted) this.turns.served();
    else this.turns.unserved(this.pauseAfter(nextMs));
    if (count === 0) return;
    this.retries.serve(count, this.parts.waiting() > 0);
    this.giveBackLater();
    this.parts.onFree();
  }

  /** What others give back is free before what was used is. */
  private pauseAfter(nextMs: number): number {
    return nextMs < this.pauseMs ? this.pauseMs : Math.min(nextMs, AGAIN_MS);
  }

  private wentAway(error: unknown): void {
    this.turns.unserved(AGAIN_MS);
    if (this.turns.isClosed) return;
    if (!this.isAway) this.parts.onError(error);
    this.contact = { kind: 'away' };
    this.retries.close();
    this.turns.want();
    this.parts.onFree();
  }

  /** What nobody used in time. */
  private expire(now: number): void {
    this.stock.expire(now);
    this.retries.keepAtMost(this.stock.count);
  }

  private giveBackLater(): void {
    if (this.turns.isClosed) return;
    this.returning ??= setTimeout(() => {
      this.returning = undefined;
      this.expire(monotonicMs());
      if (this.stock.count > 0) this.giveBackLater();
      if (this.stock.hasUnused && !this.isAway) void this.ask(0);
    }, this.lifeMs + 1);
  }

  private countUse(now: number): void {
    const { uses } = this;
    const age = now - uses.since;
    if (age >= this.lifeMs) {
      uses.before = age < 2 * this.lifeMs ? uses.now : 0;
      uses.now = 0;
      uses.since = now;
    }
    uses.now++;
  }
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
