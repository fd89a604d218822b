import type { Attempts } from '../pipeline/attempts';
import type { Bulkhead } from '../pipeline/bulkhead';
import type { Destination, DestinationId } from '../pipeline/delivery';
import type { CommonRoom, Places } from '../pipeline/places';
import { endsWithin } from '../time/within';
import type { LineRoom, LookAtRoom } from './lines';

export interface LineRoomsParts {
  readonly attempts: Pick<Attempts, 'clock'>;
  readonly places: Places;
  readonly bulkheadOf: (destination: Destination) => Bulkhead;
  /** Whether it has the pipeline to itself, as for fresh deliveries. */
  readonly isAlone: (id: DestinationId) => boolean;
  /** Undefined where there is none any more; rejects where that cannot be known. */
  readonly destinationOf: (id: DestinationId) => Promise<Destination | undefined>;
}

/** For a choice among lines. */
const SOON_MS = 20;
/** One that is at hand for the memory of those under way waits for no longer. */
export const SPARE_MS = 1000;
/** Of a destination that is not there, or not known: its deliveries are given up, or put off, which costs little. */
const UNKNOWN_ROOM = 50;

/**
 * Says how many deliveries may be taken from the line of a destination. It must never promise what the attempt is then
 * refused: a delivery that was taken in vain has cost its body.
 */
export class LineRooms {
  constructor(private readonly parts: LineRoomsParts) {}

  /** @param bytes of an event in that line, as far as is known */
  async roomOf(id: DestinationId, bytes: number): Promise<LookAtRoom> {
    const found = await this.soon(id);
    if (found === undefined) return () => unknownRoom(id, UNKNOWN_ROOM);
    if (found === 'late') return () => unknownRoom(id, 1);
    return () => this.roomNow(found, bytes);
  }

  private roomNow(found: Destination, bytes: number): LineRoom {
    const bulkhead = this.parts.bulkheadOf(found);
    const { circuit } = bulkhead;
    if (circuit.closedIn() > 0) return { kind: circuit.isAsking ? 'soon' : 'none' };
    const spare = bulkhead.spareRetries(this.parts.attempts.clock.now());
    const permits = bulkhead.permitsForRetries;
    const ready = circuit.isOpen ? 1 : bulkhead.readyRetries;
    const places = circuit.isOpen ? 1 : bulkhead.roomForRetries + spare;
    const count = Math.min(permits, places, this.memoryFor(found, bulkhead, bytes));
    if (count > 0) return { kind: 'room', count, ready, shares: found.shares, common: this.commonOf(found) };
    if (permits === 0) return { kind: 'none', forMs: bulkhead.noPermitMs };
    return { kind: bulkhead.hasRetries ? 'soon' : 'none' };
  }

  private commonOf({ id, shares }: Destination): readonly CommonRoom[] {
    return this.parts.places.commonRoomOf(shares, this.parts.isAlone(id));
  }

  /** For how many there are places and memory. One more is at hand for memory that its own attempts give back soon: large ones take long to fetch. */
  private memoryFor({ id, shares }: Destination, bulkhead: Bulkhead, bytes: number): number {
    const { places, attempts, isAlone } = this.parts;
    const room = places.roomOf(shares, bytes, isAlone(id));
    if (room > 0 || !bulkhead.hasRetriesThatEnd(SPARE_MS, attempts.clock.now())) return room;
    return Math.min(1, places.placesFor(shares, isAlone(id)));
  }

  /** Settings that are still being read are waited for by the delivery, not by those of others; what cannot be read is put off. */
  private async soon(id: DestinationId): Promise<Destination | undefined | 'late'> {
    const found = this.parts.destinationOf(id);
    return (await endsWithin(found, SOON_MS)) ? found.catch(() => undefined) : 'late';
  }
}

/** It takes no place of anybody. */
function unknownRoom(id: DestinationId, count: number): LineRoom {
  return { kind: 'room', count, shares: [{ key: id, part: 1 }], ready: 0, common: [] };
}
