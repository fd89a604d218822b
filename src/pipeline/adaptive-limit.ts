/** What an attempt that ended says of how much its destination can take; `nothing` where it says nothing. */
export type LoadSign = 'well' | 'overloaded' | 'nothing';

export interface AdaptiveLimitOptions {
  /** Attempts at once that the limit never exceeds. */
  readonly most: number;
  /** Where it starts, and where latency alone never takes it below. */
  readonly first: number;
}

/** How long answers took, on average, at a limit. */
interface Measured {
  readonly limit: number;
  readonly ms: number;
}

/** Answers to attempts that began at the present limit. */
interface Sample {
  readonly since: number;
  /** Answers that are missing until the limit is looked at. */
  missing: number;
  count: number;
  sumMs: number;
  /** Answers that came while most of the limit was in use. */
  inUse: number;
}

/** Twice the attempts at once for answers that take this much longer gain little: the destination queues them. */
const QUEUEING_FACTOR = 1.5;
/** A few milliseconds more are noise, of this process as well. */
const QUEUEING_MS = 10;
/** While probing, each limit that the destination answers well is followed by one this many times as high. */
const PROBING_STEP = 3;
/** What is left of the limit after a sign of overload, and while the destination queues. */
const AFTER_OVERLOAD = 0.5;
const WHILE_QUEUEING = { least: 0.5, most: 0.9 };
/** Answers of one sample: at least so many, and this part of the limit. */
const SAMPLE = { least: 16, ofLimit: 0.8 };
/** The limit is only raised where this part of it is in use: an idle destination proves nothing. */
const IN_USE = 0.8;

/**
 * How many attempts one destination is given at once: as many as it can take, and no more than it answers about as
 * quickly as it answered half as many. Additive increase and multiplicative decrease, with latency as a sign of its own.
 * It stays where it ended while nothing is sent.
 *
 * | answers to attempts that began at the limit | probing              | afterwards              |
 * |---------------------------------------------|----------------------|-------------------------|
 * | about as quick as at half of it             | × 3                  | + √limit                |
 * | later than at half of it                    | × 0.5 to 0.9, no longer probing; not below `first` ||
 * | overloaded: timeout, 429, 503, reset        | × 0.5 at once, no longer probing               ||
 * | quick, while much of the limit was not used | as it is             | as it is                |
 */
export class AdaptiveLimit {
  private limit: number;
  private isProbing = true;
  private sample: Sample;
  /** At half of the limit or less, and the one that takes its place when the limit is twice as high. */
  private reference: Measured | undefined;
  private latest: Measured | undefined;

  constructor(private readonly options: AdaptiveLimitOptions) {
    this.limit = Math.min(options.first, options.most);
    this.sample = sampleFor(this.limit, Number.NEGATIVE_INFINITY);
  }

  /** Attempts at once, at least 1. */
  get value(): number {
    return Math.floor(this.limit);
  }

  /**
   * @param startedAt and `now` in milliseconds of the same clock
   * @param underWay attempts that were under way when it ended, itself included
   */
  ended(sign: LoadSign, startedAt: number, now: number, underWay: number): void {
    const { sample } = this;
    // What began at another limit says nothing about this one.
    if (sign === 'nothing' || startedAt < sample.since) return;
    if (sign === 'overloaded') return this.decrease(Math.max(1, this.limit * AFTER_OVERLOAD), now);
    sample.count++;
    sample.sumMs += now - startedAt;
    if (underWay >= this.value * IN_USE) sample.inUse++;
    if (--sample.missing <= 0) this.adapt(sample, now);
  }

  private adapt({ sumMs, count, inUse }: Sample, now: number): void {
    const measured = { limit: this.limit, ms: sumMs / count };
    if (this.latest !== undefined && this.limit >= 2 * this.latest.limit) {
      this.reference = this.latest;
      this.latest = measured;
    }
    this.latest ??= measured;
    // Where even as many as at first take long the destination is what it is now.
    if (this.reference === undefined || this.limit <= this.options.first) this.reference = measured;
    const mayTakeMs = this.reference.ms * QUEUEING_FACTOR + QUEUEING_MS;
    if (measured.ms > mayTakeMs) this.decrease(this.unqueued(mayTakeMs / measured.ms), now);
    else this.change(inUse >= count * IN_USE ? this.raised() : this.limit, now);
  }

  private raised(): number {
    const raised = this.isProbing ? this.limit * PROBING_STEP : this.limit + Math.sqrt(this.limit);
    return Math.min(this.options.most, raised);
  }

  private unqueued(factor: number): number {
    const { least, most } = WHILE_QUEUEING;
    const floor = Math.min(this.limit, this.options.first);
    return Math.max(floor, this.limit * Math.min(most, Math.max(least, factor)));
  }

  private decrease(limit: number, now: number): void {
    this.isProbing = false;
    this.latest = undefined;
    this.change(limit, now);
  }

  private change(limit: number, now: number): void {
    this.limit = limit;
    this.sample = sampleFor(limit, now);
  }
}

function sampleFor(limit: number, since: number): Sample {
  const missing = Math.ceil(Math.max(SAMPLE.least, limit * SAMPLE.ofLimit));
  return { since, missing, count: 0, sumMs: 0, inUse: 0 };
}
