import type { Normalise } from '../events/normalise';
import type { DestinationId } from '../pipeline/delivery';
import type { Limits } from '../pipeline/destination-limits';
import type { Share } from '../pipeline/places';

/** Settings that every destination has, of whatever kind. */
export interface DestinationTarget {
  readonly id: DestinationId;
  readonly maxAttempts: number;
  readonly shares: readonly Share[];
  readonly limits: Limits;
  /** What is written in another form than it came. */
  readonly normalise?: Normalise | undefined;
  /** Left out where all workers have it from the same place. */
  readonly address?: string;
}

/** What the pipeline asks of a destination that its settings say. */
export abstract class TargetedDestination<Target extends DestinationTarget> {
  readonly id: DestinationId;
  readonly maxAttempts: number;
  readonly shares: readonly Share[];
  readonly limits: Limits;
  readonly address?: string;

  constructor(protected readonly target: Target) {
    const { id, maxAttempts, shares, limits, address } = target;
    this.id = id;
    this.maxAttempts = maxAttempts;
    this.shares = shares;
    this.limits = limits;
    if (address !== undefined) this.address = address;
  }

  get normalise(): Normalise | undefined {
    return this.target.normalise;
  }
}
