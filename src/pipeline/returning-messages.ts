import type { EventId } from '../events/envelope';
import { monotonicMs } from '../time/monotonic';

/** A message that went back to its broker, or that the broker took back. */
export interface Returning {
  /** Its event's id, which was made up. */
  readonly id: EventId;
  /** Whether it is done with: the copy that comes is acknowledged, and nothing else. */
  readonly isDone: boolean;
}

/** As many as a broker hands over again at once: several times the prefetch. */
const MAX_RETURNING = 8192;
/** A broker that was away for longer may hand them to anybody. */
const EXPECTED_FOR_MS = 3_600_000;

interface Expected extends Returning {
  readonly until: number;
}

/**
 * Messages without an identity of their own that will come again, by what they have in common with the copy that comes.
 * Messages of the same bytes stand for each other: for each one expected, one of those that come is taken for it, so that
 * as many are delivered as were emitted, whichever copy is which.
 */
export class ReturningMessages {
  private readonly byContent = new Map<EventId, Expected[]>();
  private count = 0;

  expect(contentKey: EventId, returning: Returning): void {
    const { id, isDone } = returning;
    const expected = { id, isDone, until: monotonicMs() + EXPECTED_FOR_MS };
    const same = this.byContent.get(contentKey) ?? [];
    same.push(expected);
    // Behind all others: the first ones are given up on first.
    this.byContent.delete(contentKey);
    this.byContent.set(contentKey, same);
    this.count++;
    while (this.count > MAX_RETURNING) this.forgetOldest();
  }

  /** Takes one that the broker hands over again for one that is expected. */
  take(contentKey: EventId): Returning | undefined {
    const now = monotonicMs();
    for (;;) {
      const expected = this.shift(contentKey);
      if (expected === undefined || expected.until >= now) return expected;
    }
  }

  private forgetOldest(): void {
    const [oldest] = this.byContent.keys();
    if (oldest !== undefined) this.shift(oldest);
  }

  private shift(contentKey: EventId): Expected | undefined {
    const same = this.byContent.get(contentKey);
    const first = same?.shift();
    if (first !== undefined) this.count--;
    if (same?.length === 0) this.byContent.delete(contentKey);
    return first;
  }
}
