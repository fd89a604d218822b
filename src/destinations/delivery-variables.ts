import { integer, optional } from '../config/formats';
import { type Variable, variable } from '../config/variable';
import { MAX_CONCURRENCY } from '../settings/delivery-fields';

/** Variables that global destinations have in common; each kind has them under its own names. */

/** @param whom the global destination, as in "the global webhook" */
export function concurrencyVariable(whom: string): Variable<number | undefined> {
  return variable(
    optional(integer(1, MAX_CONCURRENCY)),
    undefined,
    `Requests at once to ${whom} by each worker. Unset: DELIVERY_CONCURRENCY_PER_DESTINATION, which is the most in any case.`,
  );
}
