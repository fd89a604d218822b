import { monotonicMs } from '../time/monotonic';
import { AdaptiveLimit, type LoadSign } from './adaptive-limit';
import { Circuit, type CircuitOptions } from './circuit';
import type { Outcome } from './delivery';
import { isSameRate, type Limits, type Rate } from './destination-limits';
import type { Permits } from './permits';

export interface BulkheadOptions {
  /** Attempts at once: no more than `most`, of which the limit begins with `first`. */
  readonly concurrency: { readonly first: number; readonly most: number };
  /** Deliveries that share a request; 1 where it is left out. */
  readonly perRequest?: number;
  /** Makes what attempts need where there is a rate limit; left out where none is kept. */
  readonly permitsFor?: ((rate: Rate, waiting: () => number) => Permits) | undefined;
  readonly circuit: CircuitOptions;
}

/** Later than any start. */
const FREE = Number.POSITIVE_INFINITY;
/** How much one slow completion moves the average. */
const AVERAGE_WEIGHT = 0.1;
/** Asking again too early costs a look at Redis; a turn reserved too late, at a bad moment's pace, costs time. */
const SLOWEST_PACE_MS = 5;
/** A retry that found no room asks again within this. */
const KEPT_FOR_RETRY_MS = 1000;
/** Parked deliveries never wait longer than this for their turn, however many they are. */
const MAX_RESERVATION_MS = 300_000;
/** The same where a rate limit says when it is. */
const MAX_RATED_RESERVATION_MS = 900_000;

/**
 * Keeps one destination from using what the others need: a limit on its attempts, an estimate of how long the
 * next one would wait, and its circuit.
 */
export class Bulkhead {
  readonly circuit: Circuit;
  private limit: AdaptiveLimit;
  /** What was set for the destination. */
  private limits: Limits = {};
  private permits: Permits | undefined;
  /** Fresh deliveries that wait for a place. */
  waiting = 0;
  private activeRetries = 0;
  /** Start of the attempt in each place, FREE where there is none. Numbers only, so that nothing is retained. */
  private readonly starts: number[] = [];
  private readonly freePlaces: number[] = [];
  private active = 0;
  private keptForRetryUntil = 0;
  private averageMs = 0;
  private nextTurnAt = 0;
  private oldestAt = 0;
  private lookedAt = Number.NaN;

  constructor(private readonly options: BulkheadOptions) {
    this.circuit = new Circuit(options.circuit);
    this.limit = new AdaptiveLimit(options.concurrency);
  }

  /** Holds the destination to what was set for it, beside what the operator sets. */
  holdTo(limits: Limits): void {
    const was = this.limits;
    if (limits === was) return;
    this.limits = limits;
    if (limits.concurrency !== was.concurrency) this.limit = this.limitOf(limits);
    if (isSameRate(limits.rate, was.rate)) return;
    this.permits?.close();
    this.permits =
      limits.rate === undefined ? undefined : this.options.permitsFor?.(limits.rate, () => this.waiting);
  }

  /** Whether deliveries wait for permits, however well the destination answers. */
  get hasRateLimit(): boolean {
    return this.permits !== undefined;
  }

  get hasRoom(): boolean {
    const isKept =
      this.keptForRetryUntil > 0 && this.limit.value > 1 && monotonicMs() < this.keptForRetryUntil;
    const kept = isKept ? 1 : 0;
    return this.active < this.limit.value - kept && (this.permits?.isFree ?? true);
  }

  /** Retries leave half of the room to fresh events, where any wait. */
  get hasRoomForRetry(): boolean {
    const mayHave = this.waiting === 0 || this.activeRetries < Math.max(1, this.limit.value >> 1);
    if (this.active < this.limit.value) return mayHave && (this.permits?.isFreeForRetry ?? true);
    // Fresh deliveries that wait take every place at once when it comes free.
    if (mayHave) this.keptForRetryUntil = monotonicMs() + KEPT_FOR_RETRY_MS;
    return false;
  }

  /** Resolves to whether a retry that found no room has it now: it may wait for a permit, and for nothing else. */
  async roomForRetrySoon(): Promise<boolean> {
    if (this.permits === undefined || this.active >= this.limit.value) return false;
    return (await this.permits.forRetry()) && this.hasRoomForRetry;
  }

  get isIdle(): boolean {
    return this.active === 0 && this.waiting === 0;
  }

  /** Whether one more delivery would wait too long for its turn. */
  wouldWaitTooLong(maxWaitMs: number, now: number): boolean {
    const attemptMs = Math.max(this.averageMs, now - this.oldestStart(now));
    if (((this.waiting + 1) * attemptMs) / this.limit.value > maxWaitMs) return true;
    return this.permits !== undefined && this.permits.waitMs(this.waiting + 1) > maxWaitMs;
  }

  /** Takes a place for an attempt that starts now; `leave` gives it back. */
  enter(now: number, isRetry: boolean): number {
    const place = this.freePlaces.pop() ?? this.starts.length;
    this.starts[place] = now;
    this.active++;
    this.permits?.take(isRetry);
    if (isRetry) {
      this.activeRetries++;
      this.keptForRetryUntil = 0;
    }
    return place;
  }

  leave(place: number, now: number, isRetry: boolean, outcome: Outcome): void {
    const startedAt = this.starts[place] ?? now;
    const durationMs = now - startedAt;
    this.limit.ended(signOf(outcome), startedAt, now, this.active);
    if (startedAt === this.oldestAt) this.lookedAt = Number.NaN;
    this.starts[place] = FREE;
    this.freePlaces.push(place);
    this.active--;
    if (isRetry) this.activeRetries--;
    this.averageMs += (durationMs - this.averageMs) * AVERAGE_WEIGHT;
  }

  /**
   * Delay after which a delivery that gets no turn now should ask again. Each call reserves the next turn at the
   * pace at which the destination answers, so that a long line of parked deliveries comes back one by one
   * instead of all at once, and never crowds out other destinations' retries.
   */
  reserveTurn(): number {
    const now = monotonicMs();
    const { permits } = this;
    const paceMs = permits?.paceMs ?? Math.min(this.averageMs / this.limit.value, SLOWEST_PACE_MS);
    const earliest = now + Math.max(this.circuit.closedIn(), 250);
    this.nextTurnAt = Math.max(earliest, this.nextTurnAt + paceMs);
    const mostMs = permits === undefined ? MAX_RESERVATION_MS : MAX_RATED_RESERVATION_MS;
    if (this.nextTurnAt - earliest > mostMs) this.nextTurnAt = earliest;
    return Math.ceil(this.nextTurnAt - now);
  }

  /** It is forgotten. */
  close(): void {
    this.permits?.close();
  }

  private limitOf(limits: Limits): AdaptiveLimit {
    const { concurrency, perRequest = 1 } = this.options;
    const set = limits.concurrency ?? Number.POSITIVE_INFINITY;
    return new AdaptiveLimit({ ...concurrency, most: Math.min(concurrency.most, set * perRequest) });
  }

  /** Looked for once a millisecond: it is asked for with every delivery that must wait. */
  private oldestStart(now: number): number {
    const lookedAt = Math.floor(now);
    if (lookedAt === this.lookedAt) return this.oldestAt;
    this.lookedAt = lookedAt;
    this.oldestAt = now;
    for (const start of this.starts) if (start < this.oldestAt) this.oldestAt = start;
    return this.oldestAt;
  }
}

function signOf(outcome: Outcome): LoadSign {
  switch (outcome.kind) {
    case 'delivered':
    case 'rejected':
      return 'well';
    case 'failed':
      return outcome.overloaded === true ? 'overloaded' : 'nothing';
    case 'interrupted':
    case 'discarded':
      return 'nothing';
  }
}
