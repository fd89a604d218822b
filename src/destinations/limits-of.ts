import type { Limits } from '../pipeline/destination-limits';
import type { DeliverySettings } from '../settings/delivery-fields';

/** The limits of a destination as they were set for it. */
export function limitsOf({ concurrency, ordered }: DeliverySettings): Limits {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(ordered === undefined ? {} : { ordered }),
  };
}
