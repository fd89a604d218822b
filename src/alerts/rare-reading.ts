import { monotonicMs } from '../time/monotonic';

export interface RareReadingParts<T> {
  readonly everyMs: number;
  readonly read: () => Promise<T>;
  readonly onError: (error: unknown) => void;
}

/** A reading that is too expensive to be made each time: between two of them the last one stands, a failed one too. */
export class RareReading<T> {
  private readAt: number | undefined;
  private last: T | undefined;

  constructor(private readonly parts: RareReadingParts<T>) {}

  /** Undefined where it could not be read. */
  async value(): Promise<T | undefined> {
    const { everyMs, read, onError } = this.parts;
    const now = monotonicMs();
    if (this.readAt !== undefined && now - this.readAt < everyMs) return this.last;
    this.readAt = now;
    this.last = undefined;
    try {
      this.last = await read();
    } catch (error) {
      onError(error);
    }
    return this.last;
  }
}
