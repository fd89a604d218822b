export const HOURS_OF_WEEK = 168;
const HOUR_MS = 3_600_000;
/** 1 January 1970 was a Thursday; the week of a rhythm begins with Monday, UTC. */
const WEEK_OFFSET_HOURS = 72;
/** Weeks that the average of an hour goes back: shops change, and one holiday must not weigh much. */
const WEEKS_AVERAGED = 4;
/** An hour of which less was heard than this is not learned. */
const LEAST_HEARD = 0.8;

/** Hour of the week, Monday 00:00 UTC being 0. */
export function hourOfWeek(at: number): number {
  return (Math.floor(at / HOUR_MS) + WEEK_OFFSET_HOURS) % HOURS_OF_WEEK;
}

/** When the hour ends that `at` lies in. */
export function endOfHour(at: number): number {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS;
}

/** How many events an instance usually has, by hour of the week. */
export class Rhythm {
  private known: { readonly knownDays: number; readonly perDay: number } | undefined;

  constructor(
    /** Events an hour, on average. */
    readonly rates: Float32Array = new Float32Array(HOURS_OF_WEEK),
    /** Weeks in which the hour was heard. */
    readonly weeks: Uint8Array = new Uint8Array(HOURS_OF_WEEK),
  ) {}

  /** Days that were heard, and events of a usual one. */
  get usual(): { readonly knownDays: number; readonly perDay: number } {
    this.known ??= this.sum();
    return this.known;
  }

  /**
   * Events an hour that may be expected in an hour of the week: no more than in the hours around it, as a few weeks say
   * little of one. 0 where nothing is known.
   */
  at(hour: number): number {
    const before = this.rates[(hour + HOURS_OF_WEEK - 1) % HOURS_OF_WEEK] ?? 0;
    const here = this.rates[hour] ?? 0;
    const after = this.rates[(hour + 1) % HOURS_OF_WEEK] ?? 0;
    return Math.min(here, (before + 2 * here + after) / 4);
  }

  /** Adds an hour that has passed, of which `heard` (0 to 1) was listened to. */
  learn(hour: number, events: number, heard: number): void {
    if (heard < LEAST_HEARD) return;
    const weeks = Math.min(WEEKS_AVERAGED, (this.weeks[hour] ?? 0) + 1);
    const rate = this.rates[hour] ?? 0;
    this.rates[hour] = rate + (events / heard - rate) / weeks;
    this.weeks[hour] = weeks;
    this.known = undefined;
  }

  private sum(): { readonly knownDays: number; readonly perDay: number } {
    let hours = 0;
    let events = 0;
    for (let hour = 0; hour < HOURS_OF_WEEK; hour++) {
      hours += this.weeks[hour] ?? 0;
      events += this.rates[hour] ?? 0;
    }
    return { knownDays: hours / 24, perDay: events / 7 };
  }
}
