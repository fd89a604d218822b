import type { EventId } from '../events/event-id';
import { SlotMap } from '../slot-map';
import type { InFlight } from './in-flight';
import type { Settlement } from './message';
import { RecentIds } from './recent-ids';
import { ReturningMessages } from './returning-messages';

/** A message that went back to its broker, or that the broker took back. */
export interface Returning {
  /** Its event's id, which was made up. */
  readonly id: EventId;
  /** Whether it is done with: the copy that comes is acknowledged, and nothing else. */
  readonly isDone: boolean;
}

/**
 * Events that were acknowledged last and are remembered. An acknowledgement that is lost with its channel is one of the
 * prefetch or of the few written since, so this is many times as many.
 */
const REMEMBERED = 8192;
/** A broker that was away for longer may hand messages to anybody. */
const RETURN_WITHIN_MS = 3_600_000;

/**
 * Which events are in flight in this process, and which were acknowledged last: so that none is delivered anew. They are
 * known by their content, as that is all that a copy has in common with them where ids are made up (events/envelope.ts).
 */
export class EventsInFlight {
  /** The first one of each event. */
  private readonly open = new SlotMap<EventId, InFlight>();
  /** By content, as they have no identity of their own. */
  private readonly returning = new ReturningMessages<Returning>(RETURN_WITHIN_MS);
  private readonly acknowledged = new RecentIds(REMEMBERED);

  add(inFlight: InFlight): void {
    // The same event may have come through two exchanges: both are in flight, each with a message of its own.
    inFlight.next = this.open.set(inFlight.envelope.contentKey, inFlight);
  }

  remove(inFlight: InFlight): void {
    const { contentKey } = inFlight.envelope;
    const { next } = inFlight;
    const first = this.open.delete(contentKey);
    inFlight.next = undefined;
    if (first === undefined) return;
    if (first !== inFlight) {
      for (let each: InFlight | undefined = first; each !== undefined; each = each.next)
        if (each.next === inFlight) each.next = next;
      this.open.set(contentKey, first);
    } else if (next !== undefined) this.open.set(contentKey, next);
  }

  has(contentKey: EventId): boolean {
    return this.open.has(contentKey);
  }

  /** One of this content whose message the broker has taken back. */
  lost(contentKey: EventId): InFlight | undefined {
    let each = this.open.get(contentKey);
    while (each !== undefined && !each.message.isLost) each = each.next;
    return each;
  }

  /** Takes note of how a message was settled, as a copy of it may come again. */
  settled({ envelope: { id, contentKey }, message }: InFlight, settlement: Settlement): void {
    if (id === contentKey) {
      if (settlement === 'ack') this.acknowledged.add(id);
      // An acknowledgement that was sent and got lost with its channel is unknown to us: another emission of the same bytes
      // must not be taken for it.
    } else if (settlement === 'release' || message.isLost)
      this.returning.expect(contentKey, { id, isDone: settlement === 'ack' });
  }

  wasAcknowledged(id: EventId): boolean {
    return this.acknowledged.has(id);
  }

  /** The message that a redelivered one of this content is taken for; once for each that is expected. */
  takeReturning(contentKey: EventId): Returning | undefined {
    return this.returning.take(contentKey);
  }
}
