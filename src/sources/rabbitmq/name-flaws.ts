import { MAX_AMQP_NAME_BYTES, RESERVED_AMQP_PREFIX } from './amqp-names';

/** The broker drops line ends, and every lone surrogate is sent as U+FFFD: two names would become one. */
const UNSAFE = /[\p{Cc}\p{Cs}]/u;

/** Why a name cannot be used. */
export interface NameFlaw {
  readonly code: 'NAME_EMPTY' | 'NAME_TOO_LONG' | 'NAME_CHARACTERS' | 'NAME_RESERVED' | 'NAME_TAKEN';
  readonly text: string;
}

/**
 * What is wrong with the name of an exchange or a queue, or with a routing key, before anything is sent: amqplib throws
 * at what it cannot encode and leaves the channel unusable.
 */
export function nameFlaw(name: string): NameFlaw | undefined {
  const bytes = Buffer.byteLength(name);
  // The broker makes up a name for a queue without one.
  if (bytes === 0) return { code: 'NAME_EMPTY', text: 'the name is empty' };
  if (bytes > MAX_AMQP_NAME_BYTES) {
    return { code: 'NAME_TOO_LONG', text: `the name has ${bytes} bytes, AMQP takes ${MAX_AMQP_NAME_BYTES}` };
  }
  if (UNSAFE.test(name)) {
    return { code: 'NAME_CHARACTERS', text: 'the name has control characters or is no valid Unicode' };
  }
  return undefined;
}

/** As `nameFlaw`, for the exchange of an instance: a tenant chose its name. */
export function instanceFlaw(name: string, taken: readonly string[]): NameFlaw | undefined {
  if (taken.includes(name)) {
    return { code: 'NAME_TAKEN', text: 'the name is that of an exchange that the operator configured' };
  }
  if (name.startsWith(RESERVED_AMQP_PREFIX)) {
    return {
      code: 'NAME_RESERVED',
      text: `names that begin with ${RESERVED_AMQP_PREFIX} belong to the broker`,
    };
  }
  return nameFlaw(name);
}
