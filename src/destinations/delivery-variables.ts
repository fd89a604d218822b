import { integer, oneOf, optional } from '../config/formats';
import { type Variable, variable } from '../config/variable';
import { MAX_CONCURRENCY, ORDERED } from '../settings/delivery-fields';

/** Variables that global destinations have in common; each kind has them under its own names. */

/** @param whom the global destination, as in "the global webhook" */
export function concurrencyVariable(whom: string): Variable<number | undefined> {
  return variable(
    optional(integer(1, MAX_CONCURRENCY)),
    undefined,
    `Requests at once to ${whom} by each worker. Unset: DELIVERY_CONCURRENCY_PER_DESTINATION, which is the most in any case.`,
  );
}

export function orderedVariable(whom: string): Variable<(typeof ORDERED)[number] | undefined> {
  return variable(
    optional(oneOf(...ORDERED)),
    undefined,
    `Events reach ${whom} in their order, those of each instance or those of each chat. Unset: as fast as they can.`,
  );
}
