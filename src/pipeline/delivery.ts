import { createHash } from 'node:crypto';
import type { Envelope } from '../events/envelope';
import type { EventId } from '../events/event-id';
import type { Normalise } from '../events/normalise';
import type { Limits } from './destination-limits';
import type { Share } from './places';

declare const deliveryIdBrand: unique symbol;
declare const destinationIdBrand: unique symbol;
declare const laneIdBrand: unique symbol;

/** Identity of one event for one destination; survives redelivery, restarts, retries and replays. */
export type DeliveryId = string & { readonly [deliveryIdBrand]: true };

/** Reference of a destination, such as `webhook:global`. Holds no secret and no URL: job data names it. */
export type DestinationId = string & { readonly [destinationIdBrand]: true };

/** Names a lane: deliveries of one ordered destination that keep their order. */
export type LaneId = string & { readonly [laneIdBrand]: true };

/**
 * How one attempt ended. `failed` is worth retrying, `rejected` will never change, `interrupted` was our own
 * fault and spends no attempt, `discarded` was not sent because nobody would have received it.
 */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status?: number }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly status?: number;
      readonly retryAfterMs?: number;
      readonly answer?: string;
      /** The destination had more to do than it could: it is given fewer attempts at once. */
      readonly overloaded?: true;
      /** The destination says that it is gone for good: it is suspended. */
      readonly gone?: true;
    }
  | {
      readonly kind: 'rejected';
      readonly code: string;
      readonly status?: number;
      readonly answer?: string;
      /** Set where the event is larger than its destination takes: a dead letter under a reason of its own. */
      readonly reason?: 'oversize';
      readonly gone?: true;
    }
  | {
      readonly kind: 'interrupted';
      readonly code: string;
      /** Trying sooner is of no use. */
      readonly retryAfterMs?: number;
    }
  /** `reason` is a word of the destination's own; it labels a metric, so a destination has few of them. */
  | { readonly kind: 'discarded'; readonly reason: string };

/** Signs of overload and of an end are for the bulkhead: they are no part of a delivery's history, nor of what anybody is told. */
export function withoutSigns(outcome: Outcome): Outcome {
  if (outcome.kind !== 'failed' && outcome.kind !== 'rejected') return outcome;
  const { gone: _gone, ...rest } = outcome;
  if (rest.kind === 'rejected' || rest.overloaded === undefined) return rest;
  const { overloaded: _overloaded, ...told } = rest;
  return told;
}

/** Why an attempt is cut short from our side. */
export type AbortReason = 'timeout' | 'shutdown';

/** A request under way. `abort` makes the outcome follow soon; it does nothing once there is one. */
export interface RunningAttempt {
  readonly outcome: Promise<Outcome>;
  abort(reason: AbortReason): void;
  /** Called many times a second while under way: for time limits finer than the whole attempt's. */
  look?(now: number): void;
}

/** Where deliveries go. One implementation per kind; the pipeline knows no other way to reach anything. */
export interface Destination {
  readonly id: DestinationId;
  /** What its id begins with: the kind of its module, or what stands in for destinations that are not known. */
  readonly kind: string;
  /** Attempts in all, the direct one included. */
  readonly maxAttempts: number;
  /** Whole attempt, milliseconds. */
  readonly timeoutMs: number;
  /** With whom its deliveries share places (places.ts). */
  readonly shares: readonly Share[];
  /** What was set for it; left out where nothing was. */
  readonly limits?: Limits;
  /** What it wants in another form than it came. */
  readonly normalise?: Normalise | undefined;
  /** Fingerprint of where a global one sends, as each worker has it from its own configuration. */
  readonly address?: string;
  /** Where it sends; left out where that is nowhere in the network. */
  endpoint?(): Endpoint;
  /** Starts attempt number `attempt` (1 is the first) and never throws. */
  start(delivery: Delivery, attempt: number): RunningAttempt;
  /** Ends its connections; attempts under way fail. */
  close(): Promise<void>;
}

/** Where a destination sends. */
export interface Endpoint {
  /** Its address as it may be shown. */
  readonly shown: string;
  /** Fingerprint of the address. */
  readonly print: string;
}

/** Whether that is another address; false where either is not known. */
export function isElsewhere(endpoint: Endpoint, print = ''): boolean {
  return print !== '' && endpoint.print !== '' && endpoint.print !== print;
}

/** One envelope for one destination. */
export interface Delivery {
  readonly id: DeliveryId;
  readonly envelope: Envelope;
  readonly destination: Destination;
  /** Set where the destination is ordered. */
  readonly lane?: LaneId;
  /** The one before it in its lane was given up on. */
  readonly laneGap?: DeliveryId;
  /** Set where this attempt is traced: what the receiver's own work belongs to. */
  readonly traceparent?: string;
}

/** One line of a delivery's history. */
export interface AttemptRecord {
  readonly attempt: number;
  /** Start, epoch milliseconds. */
  readonly at: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
}

/** Why a delivery was stored instead of being attempted to its end. */
export const PARK_REASONS = [
  'failed',
  'slow',
  'saturated',
  'circuit-open',
  'suspended',
  'shutdown',
  'unreadable',
  /** Others of its lane wait before it. */
  'lane',
] as const;
export type ParkReason = (typeof PARK_REASONS)[number];

/** Characters of `destinationKey`. */
export const DESTINATION_KEY_LENGTH = 8;

/** Last part of every delivery id of a destination: lets the audit count stored deliveries per destination. */
export function destinationKey(id: DestinationId): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, DESTINATION_KEY_LENGTH);
}

/** The destination's key within a delivery id. */
export function destinationKeyOf(id: DeliveryId): string {
  return id.slice(-DESTINATION_KEY_LENGTH);
}

const DELIVERY = 'dlv_';

/** Not all digits and without a colon, as BullMQ asks of job ids. */
export function deliveryId(event: EventId, key: string): DeliveryId {
  return `${DELIVERY}${event}${key}` as DeliveryId;
}

/** The event that it is a delivery of. */
export function eventIdOf(id: DeliveryId): EventId {
  return id.slice(DELIVERY.length, -DESTINATION_KEY_LENGTH) as EventId;
}
