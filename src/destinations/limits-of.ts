import type { Limits } from '../pipeline/destination-limits';
import type { DeliverySettings } from '../settings/delivery-fields';

/** The limits of a destination as they were set for it. */
export function limitsOf({ concurrency, rateLimit }: DeliverySettings): Limits {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rateLimit === undefined ? {} : { rate: rateLimit }),
  };
}
