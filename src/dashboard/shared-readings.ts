import { LRUCache } from 'lru-cache';
import { SharedReading } from './shared-reading';

export interface SharedReadingsParts {
  readonly leastMs: number;
  /** Readings that are remembered; each holds what it read. */
  readonly max: number;
}

/** Once nobody has asked for so long, it is forgotten. */
const FORGOTTEN_MS = 60_000;

interface Asked<T> {
  /** As somebody asked last: times that lie between are others by then. */
  read: () => Promise<T>;
  readonly reading: SharedReading<T>;
}

/** Readings by what was asked for: those who ask for the same share one. */
export class SharedReadings<T> {
  private readonly readings: LRUCache<string, Asked<T>>;

  constructor(private readonly parts: SharedReadingsParts) {
    this.readings = new LRUCache({ max: parts.max, ttl: FORGOTTEN_MS, updateAgeOnGet: true });
  }

  of(question: object | string, read: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(question);
    const known = this.readings.get(key);
    if (known !== undefined) known.read = read;
    return (known ?? this.begin(key, read)).reading.current();
  }

  private begin(key: string, read: () => Promise<T>): Asked<T> {
    const { leastMs } = this.parts;
    const asked: Asked<T> = { read, reading: new SharedReading({ read: () => asked.read(), leastMs }) };
    this.readings.set(key, asked);
    return asked;
  }
}
