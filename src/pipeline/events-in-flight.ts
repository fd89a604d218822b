import type { EventId } from '../events/envelope';
import type { InFlight } from './in-flight';
import type { Settlement } from './message';
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
 *
 * The map holds numbers, not the messages. V8 chains the tables that a map has outgrown: once one of them is old, each that
 * follows is kept with everything that was in it, until the next full collection. With messages in them that was 70 MB of
 * bodies instead of 35, and a quarter more processor time for events of 12 KB.
 */
export class EventsInFlight {
  /** The place in `slots` of each event that is in flight. */
  private readonly open = new Map<EventId, number>();
  /** The first one of each event. */
  private readonly slots: (InFlight | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  /** By content, as they have no identity of their own. */
  private readonly returning = new ReturningMessages<Returning>(RETURN_WITHIN_MS);
  /** A ring of the events acknowledged last. */
  private readonly acknowledged: EventId[] = [];
  private nextPlace = 0;

  add(inFlight: InFlight): void {
    const { contentKey } = inFlight.envelope;
    const taken = this.open.get(contentKey);
    if (taken !== undefined) {
      // The same event may have come through two exchanges: both are in flight, each with a message of its own.
      inFlight.next = this.slots[taken];
      this.slots[taken] = inFlight;
      return;
    }
    const slot = this.freeSlots.pop() ?? this.slots.length;
    this.slots[slot] = inFlight;
    this.open.set(contentKey, slot);
  }

  remove(inFlight: InFlight): void {
    const { contentKey } = inFlight.envelope;
    const slot = this.open.get(contentKey);
    if (slot === undefined) return;
    const first = this.slots[slot];
    if (first !== inFlight) {
      for (let each = first; each !== undefined; each = each.next)
        if (each.next === inFlight) each.next = inFlight.next;
      return;
    }
    this.slots[slot] = inFlight.next;
    if (inFlight.next !== undefined) return;
    this.open.delete(contentKey);
    this.freeSlots.push(slot);
  }

  has(contentKey: EventId): boolean {
    return this.open.has(contentKey);
  }

  /** One of this content whose message the broker has taken back. */
  lost(contentKey: EventId): InFlight | undefined {
    const slot = this.open.get(contentKey);
    let each = slot === undefined ? undefined : this.slots[slot];
    while (each !== undefined && !each.message.isLost) each = each.next;
    return each;
  }

  /** Takes note of how a message was settled, as a copy of it may come again. */
  settled({ envelope: { id, contentKey }, message }: InFlight, settlement: Settlement): void {
    if (id === contentKey) {
      if (settlement === 'ack') this.remember(id);
      // An acknowledgement that was sent and got lost with its channel is unknown to us: another emission of the same bytes
      // must not be taken for it.
    } else if (settlement === 'release' || message.isLost)
      this.returning.expect(contentKey, { id, isDone: settlement === 'ack' });
  }

  /** Asked for redelivered messages only, so a search through the ring does. */
  wasAcknowledged(id: EventId): boolean {
    return this.acknowledged.includes(id);
  }

  /** The message that a redelivered one of this content is taken for; once for each that is expected. */
  takeReturning(contentKey: EventId): Returning | undefined {
    return this.returning.take(contentKey);
  }

  private remember(id: EventId): void {
    this.acknowledged[this.nextPlace] = id;
    this.nextPlace = (this.nextPlace + 1) % REMEMBERED;
  }
}
