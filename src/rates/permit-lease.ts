import type { DestinationId } from '../pipeline/delivery';
import type { Rate } from '../pipeline/destination-limits';

/** Permits that were leased in one part of a window. */
export interface Charge {
  readonly slot: number;
  count: number;
}

export interface LeaseRequest {
  readonly wanted: number;
  /** For how long deliveries have waited for a permit, as far as that counts. */
  readonly waitedMs: number;
  /** Leased before, and not used. */
  readonly unused: readonly Readonly<Charge>[];
  /** Used without a lease, while Redis was away. */
  readonly owed: number;
}

export interface Lease {
  readonly charges: readonly Charge[];
  /** Permits that are left for anybody. */
  readonly free: number;
  /** Milliseconds until the next come free; 0 where some are. */
  readonly nextMs: number;
  /** Workers that asked lately, this one included. */
  readonly workers: number;
}

/** Leases permits of one destination; rejects where Redis does not answer. */
export type Leasing = (request: LeaseRequest) => Promise<Lease>;

export type LeasingOf = (id: DestinationId, rate: Rate) => Leasing;
