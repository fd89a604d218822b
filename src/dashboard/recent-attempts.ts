import type { DeliveryLog } from '../delivery-log/delivery-log';
import { type AttemptFigures, attemptFigures } from './attempt-figures';
import { SharedReading } from './shared-reading';

const INTERVAL_MS = 15_000;
/** Attempts of all destinations that figures are made of: those that have more are busy, and well known by fewer. */
const MOST_RECORDS = 5000;
const WINDOW_MS = 3_600_000;

/** By destination. */
export type Figures = ReadonlyMap<string, AttemptFigures>;

/** How the latest attempts of all destinations ended, by the delivery log; the same for all who look. */
export class RecentAttempts {
  private readonly figures: SharedReading<Figures>;

  constructor(log: Pick<DeliveryLog, 'recent'>) {
    const read = async (): Promise<Figures> =>
      attemptFigures(await log.recent({ since: Date.now() - WINDOW_MS }, MOST_RECORDS));
    this.figures = new SharedReading({ read, leastMs: INTERVAL_MS });
  }

  current(): Promise<Figures> {
    return this.figures.current();
  }
}
