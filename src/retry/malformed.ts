import { createHash } from 'node:crypto';
import type { EventId } from '../events/event-id';
import { type DeliveryId, type DestinationId, deliveryId, destinationKey } from '../pipeline/delivery';

/** Stands for "no destination" in job data and in the audit. */
const NO_DESTINATION = 'none' as DestinationId;

/** A malformed message has no event id: its bytes are its identity, so that it is stored once. */
export function malformedId(body: Buffer): DeliveryId {
  const hash = createHash('sha256').update('malformed').update(body).digest('base64url').slice(0, 22);
  return deliveryId(hash as EventId, destinationKey(NO_DESTINATION));
}
