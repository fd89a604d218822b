import { createCipheriv, createHash, createSecretKey, getFips, hash, randomBytes } from 'node:crypto';
import type { Span } from './json-scanner';

declare const eventIdBrand: unique symbol;
/**
 * Identity of one emission: the same for the copies that came by RabbitMQ and by SQS, and at every redelivery. Events of
 * evolution-go are an exception, see `Envelope.contentKey`.
 */
export type EventId = string & { readonly [eventIdBrand]: true };

/** Characters of an id. */
export const EVENT_ID_LENGTH = 22;

/** What an id is made of: small texts that identify the event, and where its content stands in `body`. */
interface Identity {
  /** A text that no other list of names has. */
  readonly names: string;
  readonly body: Buffer;
  /** Undefined: it has none. */
  readonly content: Span | undefined;
  /** `names` hold the time at which the event was made. */
  readonly timed: boolean;
}

/**
 * The same for the same names and content, in every process. Ids of 1.0.0 were SHA-256 of both, as those of small events
 * and of events without a time still are.
 */
export function idOf({ names, body, content = NOTHING, timed }: Identity): EventId {
  const size = content.end - content.start;
  if (timed && size >= LARGE && QUICK) return quickId(names, body.subarray(content.start, content.end));
  if (size + names.length * 3 > scratch.length) {
    const large = createHash('sha256').update(names).update(body.subarray(content.start, content.end));
    return cut(large.digest('base64url'));
  }
  const namesEnd = scratch.write(names);
  const length = namesEnd + body.copy(scratch, namesEnd, content.start, content.end);
  return cut(hash('sha256', scratch.subarray(0, length), 'base64url'));
}

/** For an emission that nothing identifies. */
export function madeUpId(): EventId {
  return cut(hash('sha256', `${processName} ${++madeUp}`, 'base64url'));
}

/**
 * Poly1305 of the content under a key that is made of the names: two contents of one event name, instance and millisecond
 * have the same id once in 2^90. Whoever meant to make two such contents would have to know, before the core API makes the
 * event, the millisecond that it will write into it (docs/decisions.md#large-events-are-identified-by-poly1305).
 */
function quickId(names: string, content: Buffer): EventId {
  const nonce = Buffer.from(hash('sha256', names, 'hex').slice(0, 2 * NONCE_BYTES), 'hex');
  const mac = createCipheriv('chacha20-poly1305', KEY, nonce, MAC);
  mac.setAAD(content, NO_TEXT);
  mac.final();
  return cut(mac.getAuthTag().toString('base64url'));
}

function cut(digest: string): EventId {
  return digest.slice(0, EVENT_ID_LENGTH) as EventId;
}

/** Bytes from which Poly1305, which takes 2.5 us to set up, is quicker than SHA-256: 12 KB take 3.4 instead of 6.1 us. */
const LARGE = 8192;
/** It is no part of what FIPS mode allows. */
const QUICK = getFips() === 0;
/** Known to everybody: what nobody knows beforehand is the nonce. */
const KEY = createSecretKey(Buffer.from('evolution-relay: id of an event.'));
const NONCE_BYTES = 12;
const MAC = { authTagLength: 16 };
const NO_TEXT = { plaintextLength: 0 };

/** Small texts are hashed in one call, from here: twice as fast as a hash object for each. */
const scratch = Buffer.allocUnsafe(32_768);
const NOTHING: Span = { start: 0, end: 0 };
/** Of this process: no other one makes the same ids up. */
const processName = randomBytes(24).toString('base64url');
let madeUp = 0;
