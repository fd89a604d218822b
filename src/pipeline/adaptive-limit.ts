/** What an attempt that ended says of how much its destination can take; `nothing` where it says nothing. */
export type LoadSign = 'well' | 'overloaded' | 'nothing';

export interface AdaptiveLimitOptions {
  /** Attempts at once that the limit never exceeds. */
  readonly most: number;
  /** Where it starts, and where latency alone never takes it below. */
  readonly first: number;
  /** For how long this process had nothing to do so far, milliseconds; left out where that is of no interest. */
  readonly idleMs?: () => number;
}

/** How long answers took at a limit. */
interface Measured {
  readonly limit: number;
  /** On average, those that came. */
  readonly ms: number;
  /** What the limit, in use, and the answers of a second come to: those that are yet to come count as well. */
  readonly paceMs: number;
}

/** Answers to attempts that began at the present limit. */
interface Sample {
  readonly since: number;
  readonly limit: number;
  /** For how long the process had had nothing to do by then. */
  readonly idleMs: number;
  /** Answers that are missing until the limit is looked at. */
  missing: number;
  count: number;
  /** When the first of the attempts began, and when the first one ended. */
  firstStart: number;
  firstEnd: number | undefined;
  /** From then on, at the best moment: answers come in waves. */
  msPerAnswer: number;
  /** Of those, signs of overload; the others took `sumMs` together. */
  overloaded: number;
  sumMs: number;
  /** Answers that came while most of the limit was in use. */
  inUse: number;
  /** Attempts that began at the step before, in place of the first that had ended: how long they took together. */
  readonly earlier: Earlier | undefined;
}

interface Earlier {
  readonly since: number;
  /** When the limit rose. */
  readonly until: number;
  count: number;
  sumMs: number;
}

/** Twice the attempts at once for answers that take this much longer gain little: the destination queues them. */
const QUEUEING_FACTOR = 1.5;
/** A few milliseconds more are noise, of this process as well. */
const QUEUEING_MS = 10;
/** Attempts at once to a destination that was away. */
const AFTER_ABSENCE = 10;
/** While probing, each limit that the destination answers well is followed by one this many times as high. */
const PROBING_STEP = 5;
/** Answers that took nearly as long as those of a destination that queues are no reason for a step as high as that. */
const NEARLY_LATE = { slack: 1.2, step: 2 };
/** While probing, late answers are put down to this process for so many samples in a row, where it had no time left. */
const FORGIVEN = 3;
/** Answers take this process longer to read where it has just begun many attempts at once. */
const BESIDE_FEWER = 1.25;
/** What is left of the limit at least, whatever the answers were, and at most while the destination queues. */
const LEFT = { least: 0.5, whileQueueing: 0.9 };
/** A part of overloaded answers that does not end the probing: one failure is none of the load. */
const TOLERATED = 0.05;
/** With this many overloaded answers more attempts would be of no use. */
const HOPELESS = 0.5;
/**
 * A sample has at least `least` answers, and at least `ofLimit` times the limit: the part that begins when the limit is raised
 * while probing. With a larger one it would wait for the answers after those, twice as long.
 */
const SAMPLE = { least: 16, ofLimit: 1 - 1 / PROBING_STEP };
/** The limit is only raised where this part of it is in use: an idle destination proves nothing. */
const IN_USE = 0.8;
/** A process that had less of its time left than this would not answer more attempts any sooner. */
const LEAST_IDLE = 0.05;
/** Time that answers took, of the time of all places: about 0.44 where none hangs, as a sample begins with no answers. */
const LEAST_ANSWERED = 0.25;

/**
 * How many attempts one destination is given at once: as many as it can take, and no more than it answers about as
 * quickly as it answered half as many. Additive increase and multiplicative decrease, with latency as a sign of its own.
 * It stays where it ended while nothing is sent.
 *
 * | answers to attempts that began at the limit | probing                    | afterwards              |
 * |---------------------------------------------|----------------------------|-------------------------|
 * | about as quick as at half of it             | × 5                        | + √limit                |
 * | nearly late                                 | × 2                        | + √limit                |
 * | later, or no more a second, than at half of it | × 0.5 to 0.9, no longer probing; not below `first` ||
 * | late, while this process had no time left   | as it is, three times in a row | as if it had        |
 * | quick, while much of the limit was not used | as it is                   | as it is                |
 * | a part of them overloaded (timeout, 429, 503, reset) | less by that part, down to × 0.5             ||
 *
 * An endpoint that serves 100 at a time and queues the rest gets 500 at once, until 400 of them are answered. While this process
 * itself has no time left, nothing is raised: answers wait for it. An endpoint that fails now and then for reasons of its own keeps
 * what it can take: at one failure in seven 50 attempts at once; one that refuses all that is too much is given little more than it
 * takes.
 */
export class AdaptiveLimit {
  private limit: number;
  private isProbing = true;
  /** In a row, up to the latest. */
  private busySamples = 0;
  private decreasedAt = Number.NEGATIVE_INFINITY;
  private sample: Sample;
  /** At half of the limit or less, and the one that takes its place when the limit is twice as high. */
  private reference: Measured | undefined;
  private latest: Measured | undefined;
  /** The last limit that was answered well while it was in use; undefined before there was one. */
  private proven: number | undefined;

  constructor(private readonly options: AdaptiveLimitOptions) {
    this.limit = Math.min(options.first, options.most);
    this.sample = this.sampleFrom(Number.NEGATIVE_INFINITY);
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
    if (sign === 'nothing') return;
    // What began at another limit says nothing about this one. A timeout takes longer than many samples: it counts unless it
    // began before the last decrease.
    if (startedAt < (sign === 'overloaded' ? this.decreasedAt : sample.since))
      return noteEarlier(sample, sign, startedAt, now);
    sample.count++;
    sample.firstEnd ??= now;
    if (sign === 'overloaded') sample.overloaded++;
    else {
      sample.sumMs += now - startedAt;
      if (startedAt < sample.firstStart) sample.firstStart = startedAt;
      const well = sample.count - sample.overloaded;
      sample.msPerAnswer = Math.min(sample.msPerAnswer, (now - sample.firstStart) / well);
    }
    if (underWay >= this.value * IN_USE) sample.inUse++;
    if (--sample.missing <= 0) this.adapt(sample, now);
  }

  /**
   * Whether this many attempts at once are more than were ever answered well: what is refused then is refused for their number,
   * and says nothing about whether the destination is there.
   */
  isBeyondProven(underWay: number): boolean {
    return this.proven !== undefined && underWay > this.proven;
  }

  /** The destination was away: a few attempts first, and soon as many as it takes. */
  restart(): void {
    this.limit = Math.min(this.limit, AFTER_ABSENCE);
    this.isProbing = true;
    this.reference = undefined;
    this.latest = undefined;
    this.proven = undefined;
    this.sample = this.sampleFrom(Number.NEGATIVE_INFINITY);
  }

  private adapt(sample: Sample, now: number): void {
    const { count, overloaded, inUse } = sample;
    if (overloaded > count * TOLERATED) this.endProbing(now);
    const isAsked = inUse >= count * IN_USE && overloaded < count * HOPELESS;
    const isBusy = this.isBusy(sample, now);
    const isForgiven = isBusy && this.isProbing && this.busySamples < FORGIVEN;
    this.busySamples = isBusy ? this.busySamples + 1 : 0;
    const slack = isForgiven ? 1 : this.slackOf(sample, isAsked);
    if (slack < 1) this.endProbing(now);
    const mayRise = isAsked && this.isAnswered(sample, now) && !isBusy;
    if (isAsked && overloaded === 0) this.proven = this.limit;
    const limit = slack < 1 ? this.unqueued(slack) : mayRise ? this.raised(slack) : this.limit;
    this.limit = Math.max(1, limit * Math.max(LEFT.least, 1 - overloaded / count));
    if (this.proven !== undefined) this.proven = Math.min(this.proven, this.limit);
    this.sample = this.sampleFrom(now, this.earlierThan(sample, now));
  }

  /** What the measure of the next sample is corrected by; while the limit stays as it is, what was to correct this one. */
  private earlierThan({ limit, earlier, firstEnd }: Sample, now: number): Earlier | undefined {
    if (!this.isProbing || this.limit < limit) return undefined;
    return this.limit > limit ? { since: firstEnd ?? now, until: now, count: 0, sumMs: 0 } : earlier;
  }

  /** How much longer answers might have taken; below 1 the destination queues them. */
  private slackOf(sample: Sample, isAsked: boolean): number {
    const { count, overloaded, sumMs, msPerAnswer } = sample;
    if (count === overloaded) return 1;
    const paceMs = this.limit * msPerAnswer;
    const measured = { limit: this.limit, ms: sumMs / (count - overloaded), paceMs };
    if (this.latest !== undefined && this.limit >= 2 * this.latest.limit) {
      this.reference = this.latest;
      this.latest = measured;
    }
    this.latest ??= measured;
    // Where even as many as at first take long the destination is what it is now: also for the step that follows.
    if (this.reference === undefined || this.limit <= this.options.first)
      this.reference = this.latest = measured;
    this.reference = refined(this.reference, sample);
    const slack = slackOf(measured.ms, this.reference.ms);
    // All begin at once where the limit is raised by much: the first to be answered have not waited for the others.
    return this.isProbing && isAsked ? Math.min(slack, slackOf(paceMs, this.reference.paceMs)) : slack;
  }

  /** What hangs is in use, too, but answers nothing: the answers must account for a part of the limit. */
  private isAnswered({ since, sumMs }: Sample, now: number): boolean {
    return this.limit <= this.options.first || sumMs >= this.limit * (now - since) * LEAST_ANSWERED;
  }

  /** The process itself is what answers wait for. */
  private isBusy({ since, idleMs }: Sample, now: number): boolean {
    const idle = this.options.idleMs?.();
    return idle !== undefined && idle - idleMs < (now - since) * LEAST_IDLE && Number.isFinite(since);
  }

  private raised(slack: number): number {
    const step = slack < NEARLY_LATE.slack ? NEARLY_LATE.step : PROBING_STEP;
    const raised = this.isProbing ? this.limit * step : this.limit + Math.sqrt(this.limit);
    return Math.min(this.options.most, raised);
  }

  private unqueued(slack: number): number {
    const floor = Math.min(this.limit, this.options.first);
    return Math.max(floor, this.limit * Math.min(LEFT.whileQueueing, Math.max(LEFT.least, slack)));
  }

  private sampleFrom(since: number, earlier?: Sample['earlier']): Sample {
    const missing = Math.ceil(Math.max(SAMPLE.least, this.limit * SAMPLE.ofLimit));
    return {
      since,
      limit: this.limit,
      earlier,
      idleMs: this.options.idleMs?.() ?? 0,
      missing,
      count: 0,
      firstStart: Number.POSITIVE_INFINITY,
      firstEnd: undefined,
      msPerAnswer: Number.POSITIVE_INFINITY,
      overloaded: 0,
      sumMs: 0,
      inUse: 0,
    };
  }

  private endProbing(now: number): void {
    this.isProbing = false;
    this.decreasedAt = now;
    this.latest = undefined;
  }
}

function noteEarlier({ earlier }: Sample, sign: LoadSign, startedAt: number, now: number): void {
  if (earlier === undefined || sign !== 'well' || startedAt < earlier.since || startedAt >= earlier.until)
    return;
  earlier.count++;
  earlier.sumMs += now - startedAt;
}

/** A process that has just begun finds answers late: what it measured then is corrected by those that it sent before the limit rose. */
function refined(reference: Measured, { limit, earlier }: Sample): Measured {
  if (earlier === undefined || earlier.count < SAMPLE.least || reference.limit >= limit) return reference;
  const ms = (earlier.sumMs / earlier.count) * BESIDE_FEWER;
  if (ms >= reference.ms) return reference;
  // Where all answers take as long, and all attempts begin at once.
  return { ...reference, ms, paceMs: Math.min(reference.paceMs, ms / SAMPLE.ofLimit) };
}

function slackOf(ms: number, referenceMs: number): number {
  return (referenceMs * QUEUEING_FACTOR + QUEUEING_MS) / ms;
}
