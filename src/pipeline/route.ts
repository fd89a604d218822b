import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { type EventFilter, passes } from '../events/filter';
import { passesByCategory } from '../events/go-filter';
import { type Delivery, type Destination, deliveryId } from './delivery';

/** A destination and what it wants. */
export interface Subscription {
  readonly destination: Destination;
  /** `destinationKey` of the destination's id, computed once. */
  readonly key: string;
  readonly events: EventFilter;
}

/** One delivery for every subscription whose filter lets the event pass. */
export function route(envelope: Envelope, subscriptions: readonly Subscription[]): Delivery[] {
  const event = filterKey(envelope.event);
  const deliveries: Delivery[] = [];
  for (const { destination, key, events } of subscriptions) {
    if (passes(events, event) || (envelope.core === 'go' && passesByCategory(events, envelope)))
      deliveries.push({ id: deliveryId(envelope.id, key), envelope, destination });
  }
  return deliveries;
}
