import { monotonicMs } from './monotonic';
import { endsWithin } from './within';

/** One point in time by which everything must be done. */
export class Deadline {
  private readonly at: number;

  constructor(ms: number) {
    this.at = monotonicMs() + ms;
  }

  get leftMs(): number {
    return Math.max(0, this.at - monotonicMs());
  }

  /** Whether `work` ends, well or badly, while more than `reserveMs` are left. */
  finishesInTime(work: Promise<unknown>, reserveMs = 0): Promise<boolean> {
    return endsWithin(work, Math.max(0, this.leftMs - reserveMs));
  }
}
