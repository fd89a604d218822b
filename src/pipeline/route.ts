import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { type EventFilter, passes } from '../events/filter';
import { passesByCategory } from '../events/go-filter';
import { type Delivery, type Destination, deliveryId } from './delivery';
import { LaneNames } from './lane-names';

/** A destination and what it wants. */
export interface Subscription {
  readonly destination: Destination;
  /** `destinationKey` of the destination's id, computed once. */
  readonly key: string;
  readonly events: EventFilter;
}

/** What is learned of a chat holds for all destinations. */
const laneNames = new LaneNames();

/** One delivery for every subscription whose filter lets the event pass. */
export function route(envelope: Envelope, subscriptions: readonly Subscription[]): Delivery[] {
  const event = filterKey(envelope.event);
  const deliveries: Delivery[] = [];
  for (const { destination, key, events } of subscriptions) {
    if (!passes(events, event) && !(envelope.core === 'go' && passesByCategory(events, envelope))) continue;
    const id = deliveryId(envelope.id, key);
    const ordered = destination.limits?.ordered;
    if (ordered === undefined) deliveries.push({ id, envelope, destination });
    else deliveries.push({ id, envelope, destination, lane: laneNames.of(envelope, key, ordered) });
  }
  return deliveries;
}
