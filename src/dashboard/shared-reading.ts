import { monotonicMs } from '../time/monotonic';

export interface SharedReadingParts<T> {
  readonly read: () => Promise<T>;
  /** A reading is used for so long. */
  readonly leastMs: number;
  readonly now?: () => number;
}

/** What reading takes, of the time between two readings: large relays are read less often. */
const SHARE = 0.02;
/** However long one took: Redis may have paused meanwhile, and what is shown must not stay as old as that for minutes. */
const MOST_MS = 30_000;

/** One reading for all who ask within an interval. Nothing is read while nobody asks. */
export class SharedReading<T> {
  private reading: Promise<T> | undefined;
  private until = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: SharedReadingParts<T>) {}

  current(): Promise<T> {
    const { now = monotonicMs } = this.parts;
    if (this.reading === undefined || now() >= this.until) this.reading = this.begin(now);
    return this.reading;
  }

  private begin(now: () => number): Promise<T> {
    const { read, leastMs } = this.parts;
    const begun = now();
    // Until it is there, all wait for the same one.
    this.until = Number.POSITIVE_INFINITY;
    const reading = read();
    const ended = (restMs: number): void => {
      this.until = now() + restMs;
    };
    reading.then(
      () => ended(Math.max(leastMs, Math.min(MOST_MS, (now() - begun) / SHARE))),
      () => ended(0),
    );
    return reading;
  }
}
