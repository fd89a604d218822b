import type { Attempts } from '../pipeline/attempts';
import type { Bulkhead } from '../pipeline/bulkhead';
import type { Delivery, Destination, DestinationId } from '../pipeline/delivery';
import type { Places } from '../pipeline/places';
import { monotonicMs } from '../time/monotonic';
import { SPARE_MS } from './line-rooms';

export interface RetryRoomParts {
  readonly attempts: Attempts;
  readonly places: Places;
  /** Whether it has the pipeline to itself, as for fresh deliveries. */
  readonly isAlone: (id: DestinationId) => boolean;
}

/** What a retry needs before it may begin: memory for its event, its turn at the destination, and a place. */
export class RetryRoom {
  private closed = false;

  constructor(private readonly parts: RetryRoomParts) {}

  /** Nothing begins any more. */
  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    this.closed = true;
  }

  /** Memory for one event, with what gives it back; undefined where there is none, and its own attempts give none back soon. */
  async keepMemory(
    { shares }: Destination,
    bulkhead: Bulkhead,
    bytes: number,
  ): Promise<(() => void) | undefined> {
    const { attempts, places } = this.parts;
    const until = monotonicMs() + SPARE_MS;
    while (places.memoryFor(shares, bytes) <= 0) {
      const leftMs = until - monotonicMs();
      if (this.closed || leftMs <= 0 || !bulkhead.hasRetriesThatEnd(SPARE_MS, attempts.clock.now())) return;
      await attempts.nextEnd(leftMs);
    }
    return places.keepMemory(shares, bytes);
  }

  mayBegin(delivery: Delivery, bulkhead: Bulkhead): boolean {
    const { places, isAlone } = this.parts;
    if (this.closed || !bulkhead.hasRoomForRetry || bulkhead.circuit.closedIn() > 0) return false;
    return places.mayBegin(delivery, isAlone(delivery.destination.id));
  }

  /** Whether a place at the destination may come free for it by then. */
  waitsForTurn(bulkhead: Bulkhead, until: number): boolean {
    if (this.closed || bulkhead.circuit.isOpen || bulkhead.hasPlaceForRetry) return false;
    return this.parts.attempts.count > 0 && monotonicMs() < until;
  }
}
