import type { DestinationId } from '../pipeline/delivery';
import type { Rate } from '../pipeline/destination-limits';
import type { Permits } from '../pipeline/permits';
import { LeasedPermits } from './leased-permits';
import type { LeasingOf } from './permit-lease';

export interface RateLimitsParts {
  readonly leasing: LeasingOf;
  /** A destination has permits again. */
  readonly onFree: (id: DestinationId) => void;
  readonly onError: (error: unknown) => void;
}

/** Makes the permits of each destination that has a rate limit. */
export class RateLimits {
  constructor(private readonly parts: RateLimitsParts) {}

  /** @param waiting how many fresh deliveries wait for a place */
  permitsFor(id: DestinationId, rate: Rate, waiting: () => number): Permits {
    const { leasing, onFree, onError } = this.parts;
    return new LeasedPermits({ rate, lease: leasing(id, rate), waiting, onFree: () => onFree(id), onError });
  }
}
