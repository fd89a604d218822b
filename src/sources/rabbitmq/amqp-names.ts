import { CATALOGUE } from '../../events/catalogue';

/** AMQP's short strings, which names of exchanges, queues and routing keys are, have as many bytes at most. */
export const MAX_AMQP_NAME_BYTES = 255;
/** Brokers keep names that begin so for themselves. */
export const RESERVED_AMQP_PREFIX = 'amq.';

/** Of all events known. */
export const LONGEST_EVENT_BYTES = Math.max(...CATALOGUE.map(({ event }) => Buffer.byteLength(event)));

/** Why a text cannot be a name that we declare, with room for `more` bytes behind it; undefined where it can. */
export function amqpNameProblem(name: string, more = 0): string | undefined {
  const limit = MAX_AMQP_NAME_BYTES - more;
  const bytes = Buffer.byteLength(name);
  if (bytes > limit) return `must have no more than ${limit} bytes; this has ${bytes}`;
  return name.startsWith(RESERVED_AMQP_PREFIX)
    ? `must not begin with ${RESERVED_AMQP_PREFIX}: such names belong to the broker`
    : undefined;
}
