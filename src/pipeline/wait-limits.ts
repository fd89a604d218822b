import { monotonicMs } from '../time/monotonic';
import type { Bulkhead } from './bulkhead';
import { Company } from './company';
import type { Delivery, DestinationId } from './delivery';
import type { Waiting } from './line';
import type { Places } from './places';

export interface WaitLimitsParts {
  readonly places: Places;
  /** Longest time that a delivery waits for its turn, its source message held, while other destinations are active. */
  readonly maxWaitMs: number;
  /** Whether there is no other destination at all; left out where that is not known. */
  readonly isOnly?: (id: DestinationId) => boolean;
}

/** A destination that has the pipeline to itself keeps its messages in the broker for as many times as long. */
const ALONE_FACTOR = 10;
/**
 * One with a rate limit keeps them for as long where there is no other one: less than the half hour after which RabbitMQ
 * takes back what is not acknowledged.
 */
const ONLY_MS = 600_000;
/**
 * Part of the longest wait: what leaves within it takes no place for which others would wait. Not where that is set to many
 * seconds, as all others would wait for them.
 */
const SOON = { part: 0.5, mostMs: 500 };

/** Decides which deliveries may wait for their turn while their messages are held, and for how long. */
export class WaitLimits {
  private readonly company = new Company();

  constructor(private readonly parts: WaitLimitsParts) {}

  /** A delivery for this destination came. */
  note(id: DestinationId): void {
    this.company.note(id, monotonicMs());
  }

  /** When a delivery came last, by the monotonic clock. */
  get lastAt(): number {
    return this.company.lastAt;
  }

  /** By a clock that goes on while nothing is under way. */
  isAlone(id: DestinationId): boolean {
    return this.company.isAlone(id, monotonicMs());
  }

  maxWaitMs(id: DestinationId, bulkhead: Bulkhead): number {
    if (bulkhead.hasRateLimit && this.parts.isOnly?.(id) === true) return ONLY_MS;
    return this.parts.maxWaitMs * (this.isAlone(id) ? ALONE_FACTOR : 1);
  }

  /**
   * Whether one more delivery must not wait for this destination, as it would wait too long or hold up others.
   *
   * @param first that waits for it already
   */
  isSaturated(delivery: Delivery, bulkhead: Bulkhead, now: number, first: Waiting | undefined): boolean {
    const maxWaitMs = this.maxWaitMs(delivery.destination.id, bulkhead);
    if (bulkhead.wouldWaitTooLong(maxWaitMs, now)) return true;
    return this.holdsUpOthers(delivery, bulkhead, now, 1, first?.since ?? now);
  }

  /** Whether one that waits must not do so for longer. */
  isOverdue({ delivery, since }: Waiting, bulkhead: Bulkhead, now: number): boolean {
    if (now - since > this.maxWaitMs(delivery.destination.id, bulkhead)) return true;
    return this.holdsUpOthers(delivery, bulkhead, now, 0, since);
  }

  /**
   * Whether its groups would have more messages wait than their part, with so many more. Those that leave soon hold up nobody:
   * where the process itself is what all wait for, storing them takes the time that they and the others need.
   */
  private holdsUpOthers(
    delivery: Delivery,
    bulkhead: Bulkhead,
    now: number,
    more: 0 | 1,
    since: number,
  ): boolean {
    const { id } = delivery.destination;
    if (this.isAlone(id) || this.parts.places.mayWait(delivery, more)) return false;
    const soonMs = Math.min(SOON.mostMs, this.maxWaitMs(id, bulkhead) * SOON.part);
    return now - since > soonMs || !bulkhead.empties(soonMs, now, this.parts.places.waitingForEach(delivery));
  }
}
