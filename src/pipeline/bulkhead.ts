import { monotonicMs } from '../time/monotonic';
import { AdaptiveLimit, type AdaptiveLimitOptions, type LoadSign } from './adaptive-limit';
import { Circuit, type CircuitOptions } from './circuit';
import type { Outcome } from './delivery';
import { isSameRate, type Limits, type Rate } from './destination-limits';
import type { Permits } from './permits';

export interface BulkheadOptions {
  /** Attempts at once: no more than `most`, of which the limit begins with `first`. */
  readonly concurrency: AdaptiveLimitOptions;
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
/** What took as many times longer than the others is left out of the estimate as soon as it has ended. */
const HUNG = 4;
/** Answers within this are worth having the next delivery at hand. */
const QUICK_MS = 250;
const MOST_SPARE = 25;
/** A retry that found no room asks again within this. */
const KEPT_FOR_RETRY_MS = 1000;

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
  /** Found out once a millisecond, as it is asked for with every delivery that must wait. */
  private expectedMs = 0;
  private lookedAt = Number.NaN;

  constructor(private readonly options: BulkheadOptions) {
    const isOfLoad = (outcome: Outcome): boolean =>
      signOf(outcome) === 'overloaded' && this.limit.isBeyondProven(this.active);
    this.circuit = new Circuit({ ...options.circuit, isOfLoad });
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

  /** It was away: what piled up meanwhile does not come all at once. */
  restart(): void {
    this.limit.restart();
  }

  get hasRoom(): boolean {
    const isKept =
      this.keptForRetryUntil > 0 && this.limit.value > 1 && monotonicMs() < this.keptForRetryUntil;
    const kept = isKept ? 1 : 0;
    return this.active < this.limit.value - kept && (this.permits?.isFree ?? true);
  }

  /** Whether one more retry may begin. */
  get hasRoomForRetry(): boolean {
    return this.hasPlaceForRetry && (this.permits?.isFreeForRetry ?? true);
  }

  /** The same, whether it has a permit or not. */
  get hasPlaceForRetry(): boolean {
    return this.roomForRetries > 0;
  }

  /** How many retries there are places for: they leave half of the room to fresh events, where any wait. */
  get roomForRetries(): number {
    const limit = this.limit.value;
    const most = this.waiting === 0 ? limit : Math.max(1, limit >> 1);
    const left = most - this.activeRetries;
    // Fresh deliveries that wait take every place at once when it comes free.
    if (left > 0 && this.active >= limit) this.keptForRetryUntil = monotonicMs() + KEPT_FOR_RETRY_MS;
    return Math.max(0, Math.min(left, limit - this.active));
  }

  /** How many more a quick destination may have at hand, so that its places are in use all the time: only then may its limit rise. */
  spareRetries(now: number): number {
    return this.attemptMs(now) < QUICK_MS ? Math.min(this.limit.value, MOST_SPARE) : 0;
  }

  /** Whether retries of it are under way which probably end within this many milliseconds. */
  hasRetriesThatEnd(withinMs: number, now: number): boolean {
    return this.activeRetries > 0 && this.attemptMs(now) < withinMs;
  }

  get hasRetries(): boolean {
    return this.activeRetries > 0;
  }

  /** How many retries have a permit, or get one within a moment for which they may wait. */
  get permitsForRetries(): number {
    return this.permits?.forRetries ?? Number.POSITIVE_INFINITY;
  }

  /** How many retries may begin at once. */
  get readyRetries(): number {
    return Math.min(this.roomForRetries, this.permits?.readyForRetries ?? Number.POSITIVE_INFINITY);
  }

  /** How long no retry gets a permit. */
  get noPermitMs(): number {
    return this.permits?.noneForRetriesMs ?? 0;
  }

  /** Whether there is a place for a retry, and no permit. */
  get lacksPermit(): boolean {
    return this.hasPlaceForRetry && this.permits?.isFreeForRetry === false;
  }

  /** Resolves to whether a retry has a permit: soon, or not at all. */
  async permitForRetry(): Promise<boolean> {
    return (await this.permits?.forRetry()) === true;
  }

  get isIdle(): boolean {
    return this.active === 0 && this.waiting === 0;
  }

  /** Whether one more delivery would wait too long for its turn. */
  wouldWaitTooLong(maxWaitMs: number, now: number): boolean {
    if (((this.waiting + 1) * this.attemptMs(now)) / this.limit.value > maxWaitMs) return true;
    return this.permits !== undefined && this.permits.waitMs(this.waiting + 1) > maxWaitMs;
  }

  /**
   * Whether all that wait, and one more, probably leave within this many milliseconds; false where nothing has ended yet.
   *
   * @param waitingForEach deliveries of its groups that wait, for each place that those may have
   */
  empties(withinMs: number, now: number, waitingForEach: number): boolean {
    if (this.averageMs === 0 || this.wouldWaitTooLong(withinMs, now)) return false;
    return waitingForEach * this.attemptMs(now) <= withinMs;
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
    if (durationMs >= HUNG * this.averageMs) this.lookedAt = Number.NaN;
    this.starts[place] = FREE;
    this.freePlaces.push(place);
    this.active--;
    if (isRetry) this.activeRetries--;
    this.averageMs += (durationMs - this.averageMs) * AVERAGE_WEIGHT;
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

  /**
   * How long places are taken for, on average: those that answer give way to many more deliveries than those that hang, so that
   * one attempt which is never answered does not make all others seem as slow.
   */
  private attemptMs(now: number): number {
    const millisecond = Math.floor(now);
    if (millisecond === this.lookedAt) return this.expectedMs;
    this.lookedAt = millisecond;
    let oldestAt = now;
    let underWay = 0;
    let endsEachMs = 0;
    for (const start of this.starts) {
      if (start === FREE) continue;
      underWay++;
      endsEachMs += 1 / Math.max(this.averageMs, now - start);
      if (start < oldestAt) oldestAt = start;
    }
    // Before the first one ended, nothing but the oldest says how long they take.
    const isMeasured = this.averageMs > 0 && underWay > 0;
    this.expectedMs = isMeasured ? underWay / endsEachMs : Math.max(this.averageMs, now - oldestAt);
    return this.expectedMs;
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
