import type { EventId } from '../events/envelope';
import type { InFlight } from './in-flight';

/**
 * Events that were acknowledged last and are remembered. An acknowledgement that is lost with its channel is one of the
 * prefetch or of the few written since, so this is many times as many.
 */
const REMEMBERED = 8192;

/** Which events are in flight in this process, and which were acknowledged last: so that none is delivered anew. */
export class EventsInFlight {
  private readonly open = new Map<EventId, InFlight>();
  /** A ring of the events acknowledged last. */
  private readonly acknowledged: EventId[] = [];
  private nextPlace = 0;

  add(inFlight: InFlight): void {
    const { id } = inFlight.envelope;
    // The same event may have come through two exchanges: both are in flight, each with a message of its own.
    inFlight.next = this.open.get(id);
    this.open.set(id, inFlight);
  }

  remove(inFlight: InFlight): void {
    const { id } = inFlight.envelope;
    const first = this.open.get(id);
    if (first !== inFlight) {
      for (let each = first; each !== undefined; each = each.next)
        if (each.next === inFlight) each.next = inFlight.next;
    } else if (inFlight.next === undefined) this.open.delete(id);
    else this.open.set(id, inFlight.next);
  }

  /** One of this event whose message the broker has taken back. */
  lost(id: EventId): InFlight | undefined {
    let each = this.open.get(id);
    while (each !== undefined && !each.message.isLost) each = each.next;
    return each;
  }

  remember(id: EventId): void {
    this.acknowledged[this.nextPlace] = id;
    this.nextPlace = (this.nextPlace + 1) % REMEMBERED;
  }

  /** Asked for redelivered messages only, so a search through the ring does. */
  wasAcknowledged(id: EventId): boolean {
    return this.acknowledged.includes(id);
  }
}
