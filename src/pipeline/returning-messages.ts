import type { EventId } from '../events/event-id';
import { monotonicMs } from '../time/monotonic';

/** As many as a broker hands over again at once: several times the prefetch. */
const MAX_RETURNING = 8192;

interface Expected<What> {
  readonly what: What;
  readonly until: number;
}

/**
 * What is known of messages that will come again, by what they have in common with the copy that comes.
 * Messages of the same key stand for each other: for each one expected, one of those that come is taken for it, so that
 * as many are delivered as were emitted, whichever copy is which.
 */
export class ReturningMessages<What> {
  private readonly byKey = new Map<EventId, Expected<What>[]>();
  private count = 0;

  constructor(private readonly expectedForMs: number) {}

  expect(key: EventId, what: What): void {
    const expected = { what, until: monotonicMs() + this.expectedForMs };
    const same = this.byKey.get(key) ?? [];
    same.push(expected);
    // Behind all others: the first ones are given up on first.
    this.byKey.delete(key);
    this.byKey.set(key, same);
    this.count++;
    while (this.count > MAX_RETURNING) this.forgetOldest();
  }

  /** Takes one that the broker hands over again for one that is expected. */
  take(key: EventId): What | undefined {
    if (this.count === 0) return undefined;
    const now = monotonicMs();
    for (;;) {
      const expected = this.shift(key);
      if (expected === undefined || expected.until >= now) return expected?.what;
    }
  }

  private forgetOldest(): void {
    const [oldest] = this.byKey.keys();
    if (oldest !== undefined) this.shift(oldest);
  }

  private shift(key: EventId): Expected<What> | undefined {
    const same = this.byKey.get(key);
    const first = same?.shift();
    if (first !== undefined) this.count--;
    if (same?.length === 0) this.byKey.delete(key);
    return first;
  }
}
