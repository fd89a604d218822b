import { LRUCache } from 'lru-cache';
import { SharedReading } from './shared-reading';

export interface SharedReadingsParts {
  readonly leastMs: number;
  /** Readings that are remembered; each holds what it read. */
  readonly max: number;
}

/** Once nobody has asked for so long, it is forgotten. */
const FORGOTTEN_MS = 60_000;

/** Readings by what was asked for: those who ask for the same share one. */
export class SharedReadings<T> {
  private readonly readings: LRUCache<string, SharedReading<T>>;

  constructor(private readonly parts: SharedReadingsParts) {
    this.readings = new LRUCache({ max: parts.max, ttl: FORGOTTEN_MS, updateAgeOnGet: true });
  }

  of(question: object | string, read: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(question);
    let reading = this.readings.get(key);
    if (reading === undefined) {
      reading = new SharedReading({ read, leastMs: this.parts.leastMs });
      this.readings.set(key, reading);
    }
    return reading.current();
  }
}
