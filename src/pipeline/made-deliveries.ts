import type { DeliveryId } from './delivery';
import type { DirectResult } from './direct-attempts';

/** Several times as many as a broker takes back at once. */
const REMEMBERED = 8192;

/** What became of deliveries whose messages went back to their broker all the same, as others of the same message were not begun. */
export class MadeDeliveries {
  /** The oldest first. */
  private readonly results = new Map<DeliveryId, DirectResult>();

  note(id: DeliveryId, result: DirectResult | undefined): void {
    if (result === undefined || result === 'untouched' || result === 'unstored') return;
    this.results.set(id, result);
    if (this.results.size <= REMEMBERED) return;
    const [oldest] = this.results.keys();
    if (oldest !== undefined) this.results.delete(oldest);
  }

  /** Asked when the message comes again: it need not be made once more. */
  take(id: DeliveryId): DirectResult | undefined {
    const result = this.results.get(id);
    if (result !== undefined) this.results.delete(id);
    return result;
  }
}
