import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { type EventFilter, passes } from '../events/filter';
import { passesByCategory } from '../events/go-filter';
import type { ContentFilter } from '../filters/content-filter';
import { EventView } from '../filters/event-view';
import { type Delivery, type Destination, deliveryId } from './delivery';
import { LaneNames } from './lane-names';

/** A destination and what it wants. */
export interface Subscription {
  readonly destination: Destination;
  /** `destinationKey` of the destination's id, computed once. */
  readonly key: string;
  readonly events: EventFilter;
  /** What it wants of what an event says; undefined: everything. */
  readonly content?: ContentFilter | undefined;
}

/** Where an event goes. */
export interface Routed {
  readonly deliveries: readonly Delivery[];
  /** Those that the destinations' conditions on content leave out: nothing is attempted, and they count as discarded. */
  readonly filtered: readonly Delivery[];
  /** Further ones are made from the event's other copy. */
  readonly isSharedOut?: boolean;
}

const NONE: readonly Delivery[] = [];
/** What is learned of a chat holds for all destinations. */
const laneNames = new LaneNames();

/** One delivery for every subscription that wants the event. What the event says is decoded only where one asks for it. */
export function route(envelope: Envelope, subscriptions: readonly Subscription[]): Routed {
  const event = filterKey(envelope.event);
  const deliveries: Delivery[] = [];
  let filtered: Delivery[] | undefined;
  let view: EventView | undefined;
  for (const subscription of subscriptions) {
    const { events, content } = subscription;
    if (!isWanted(events, event, envelope)) continue;
    const delivery = deliveryOf(envelope, subscription);
    if (content !== undefined) {
      view ??= new EventView(envelope);
      if (!content.passes(view)) {
        filtered ??= [];
        filtered.push(delivery);
        continue;
      }
    }
    deliveries.push(delivery);
  }
  return { deliveries, filtered: filtered ?? NONE };
}

/** What is left out has a lane, too: it is counted by the copy of the event that it would have come by. */
function deliveryOf(envelope: Envelope, { destination, key }: Subscription): Delivery {
  const id = deliveryId(envelope.id, key);
  const ordered = destination.limits?.ordered;
  if (ordered === undefined) return { id, envelope, destination };
  return { id, envelope, destination, lane: laneNames.of(envelope, key, ordered) };
}

/** Whether a list of events names it, by itself or by one of evolution-go's categories. */
export function isWanted(events: EventFilter, key: string, envelope: Envelope): boolean {
  return passes(events, key) || (envelope.core === 'go' && passesByCategory(events, envelope));
}
