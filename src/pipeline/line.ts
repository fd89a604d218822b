import type { Bulkhead } from './bulkhead';
import type { Delivery } from './delivery';
import type { ResultSink } from './direct-attempts';
import type { Places } from './places';

/** A delivery and where its result goes. */
export interface Submission {
  readonly delivery: Delivery;
  readonly sink: ResultSink;
  readonly index: number;
}

export interface Waiting extends Submission {
  readonly since: number;
}

/** Deliveries for one destination that wait for their turn while their messages are held, the oldest first. */
export class Line {
  private readonly entries: Waiting[] = [];

  constructor(
    readonly bulkhead: Bulkhead,
    private readonly places: Places,
  ) {}

  get first(): Waiting | undefined {
    return this.entries[0];
  }

  add(entry: Waiting): void {
    this.entries.push(entry);
    this.bulkhead.waiting++;
    this.places.waits(entry.delivery);
  }

  /** Takes the first one out. */
  take(): Waiting | undefined {
    const first = this.entries.shift();
    if (first === undefined) return undefined;
    this.bulkhead.waiting--;
    this.places.waitsNoLonger(first.delivery);
    return first;
  }
}
