import { supersedableKey } from '../events/supersedable';
import type { Limits } from '../pipeline/destination-limits';
import type { DeliverySettings } from '../settings/delivery-fields';

/** The limits of a destination as they were set for it. */
export function limitsOf({ concurrency, rateLimit, coalesce, ordered }: DeliverySettings): Limits {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rateLimit === undefined ? {} : { rate: rateLimit }),
    ...(coalesce === undefined ? {} : { coalesce: coalescingOf(coalesce) }),
    ...(ordered === undefined ? {} : { ordered }),
  };
}

function coalescingOf({
  events,
  seconds,
}: NonNullable<DeliverySettings['coalesce']>): NonNullable<Limits['coalesce']> {
  return { events: new Set(events.flatMap((name) => supersedableKey(name) ?? [])), withinMs: seconds * 1000 };
}
