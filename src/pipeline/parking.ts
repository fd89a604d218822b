import type { AttemptRecord, Delivery, DeliveryId, LaneId, ParkReason } from './delivery';

/** Why a delivery, or a raw message, was given up on. */
export const DEAD_REASONS = [
  'attempts-exhausted',
  'rejected',
  'oversize',
  'destination-removed',
  'malformed',
  /** Parked for longer than parked deliveries may be. */
  'expired',
  /** Its owner has as much parked as may be. */
  'parked-limit',
  /** Its record cannot be read, as when a person changed it. */
  'unreadable',
] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/** What happens to a delivery after an attempt that was not delivered. */
export type Decision =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'give-up'; readonly reason: DeadReason };

/** It is due, and waits until it is its turn at its destination. */
export type InLine = { readonly kind: 'in-line' };

/** Decides after a failed or rejected attempt; pure (retry/policy.ts). */
export type Decide = (delivery: Delivery, record: AttemptRecord) => Decision;

/** Added to the request's own timeout before a delivery that turned slow is due: by then it cannot be under way. */
const SLOW_MARGIN_MS = 5000;

/** How long a delivery waits in the store while a slow attempt at it goes on. */
export function slowDelayMs({ destination }: Delivery): number {
  return destination.timeoutMs + SLOW_MARGIN_MS;
}

/** A delivery to store, with what is known of it so far. */
export interface ParkRequest {
  readonly delivery: Delivery;
  readonly reason: ParkReason;
  /** Attempts spent; one that is under way counts. */
  readonly attemptsMade: number;
  readonly history: readonly AttemptRecord[];
  /** A retry that becomes due after a delay, or in its turn, or a dead letter. */
  readonly decision: Decision | InLine;
}

/** A delivery on its way into the store. */
export interface Ticket {
  /** Resolves once stored or withdrawn. Rejects with StoreUnavailableError only when the store was closed. */
  readonly settled: Promise<'stored' | 'withdrawn'>;
  /** The delivery was made after all: do not store it, where it is not under way yet. */
  withdraw(): void;
}

/** Where parked deliveries are stored (retry/bullmq-parking.ts). */
export interface Parking {
  park(request: ParkRequest): Ticket;
  /** A direct attempt begins: what is parked and made needless by it is discarded soon. */
  begins?(delivery: Delivery): void;
  /** A delivery parked as slow was delivered by the attempt under way. */
  delivered(delivery: Delivery): Promise<void>;
  /** A delivery parked as slow failed in the attempt under way. */
  failed(delivery: Delivery, record: AttemptRecord): Promise<void>;
}

/** What lies in the store of one lane. */
export interface LaneLook {
  /** Something waits there, so that what comes must wait behind it. */
  readonly isWaiting: boolean;
  /** The next delivery says that this one was given up on. */
  readonly gap: DeliveryId | undefined;
}

/** Where deliveries wait behind others of their lane (retry/lane-parking.ts). */
export interface LaneStore {
  /** By the place of each lane. Rejects where the store is away. */
  look(lanes: readonly LaneId[]): Promise<readonly LaneLook[]>;
  /**
   * Stores deliveries of one lane, in their order, behind what waits there: how many of them, from the first on. The others
   * found the lane empty; `isForced` stores them all the same. Rejects only when the store was closed.
   */
  append(
    lane: LaneId,
    deliveries: readonly Delivery[],
    isForced: boolean,
  ): Promise<{ readonly stored: number; readonly gap: DeliveryId | undefined }>;
  /** The delivery that says so was made. */
  gapTold(lane: LaneId, gap: DeliveryId): void;
}
