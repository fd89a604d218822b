import { parseEnvelope } from '../../src/events/envelope';
import type { EventId } from '../../src/events/event-id';
import { type DestinationId, deliveryId, destinationKey } from '../../src/pipeline/delivery';
import { slotHashOf } from '../../src/slot-map';

const COUNT = 10_000;
/** Places of a map that holds as many. */
const PLACES = 16_384;
/** Of as many random ones seven share a place at the most, rarely eight. */
const MOST_OF_ONE_PLACE = 12;

const key = destinationKey('webhook:global' as DestinationId);
const events = Array.from({ length: COUNT }, (_, number) => {
  const body = Buffer.from(JSON.stringify({ event: 'messages.upsert', instance: 'shop', data: { number } }));
  return parseEnvelope(body, { routingKey: 'messages.upsert' }).id;
});
const [event = '' as EventId] = events;

/** All that lies in slot maps, and others that have most in common with each other. */
const kinds: Readonly<Record<string, readonly string[]>> = {
  events: events,
  'copies of events for ordered destinations': events.map((id) => `${id}:ordered`),
  'deliveries of one destination': events.map((id) => deliveryId(id, key)),
  'deliveries of one event': events.map((_, number) =>
    deliveryId(event, destinationKey(`webhook:shop:${number}` as DestinationId)),
  ),
  'ids that begin and end alike': events.map((_, number) => `alike-${number}-alike-alike`),
};

test.each(Object.entries(kinds))('%s do not meet in a slot map, so that each is found at once', (_, ids) => {
  const places = new Int32Array(PLACES);
  for (const id of ids) {
    const place = slotHashOf(id) & (PLACES - 1);
    places[place] = (places[place] ?? 0) + 1;
  }
  expect(Math.max(...places)).toBeLessThanOrEqual(MOST_OF_ONE_PLACE);
});
