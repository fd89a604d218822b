import { isUtf8 } from 'node:buffer';
import { createHash, hash } from 'node:crypto';
import { MalformedEventError } from '../errors';
import { findEvent } from './catalogue';
import { eachMember, isString, type Span } from './json-scanner';
import { decodeKnownString, decodeString } from './json-strings';

declare const eventIdBrand: unique symbol;
/** Identity of one emission: the same for the copies that came by RabbitMQ and by SQS, and at every redelivery. */
export type EventId = string & { readonly [eventIdBrand]: true };

/**
 * Root keys of one body, and bytes of each as it is written. The core API sends nine; more are passed on, but each costs
 * many times the memory that its bytes take.
 */
const MAX_ROOT_KEYS = 256;
/** Of a key, of `event`, `instance` and `date_time`: these are decoded, and become part of ids, keys and log lines. */
const MAX_NAME_BYTES = 1024;

/** A parsed event. Values stay where they are in `body`; only what routing needs is decoded. */
export interface Envelope {
  readonly id: EventId;
  readonly event: string;
  readonly instance: string;
  /** Local wall time of the core API with a false `Z` (docs/core-api.md#envelope), as text. */
  readonly dateTime: string | undefined;
  /** The whole body as it came. */
  readonly body: Buffer;
  /** Where each root value stands in `body`, in order of appearance; of duplicate keys the last. */
  readonly members: ReadonlyMap<string, Span>;
  /**
   * Epoch milliseconds: when the event was published, where its broker says so, otherwise when it was received here.
   * Undefined for one that was parked meanwhile.
   */
  readonly since: number | undefined;
}

/** What the transport says about a message whose body does not. */
export interface Origin {
  /** `messages.upsert` (core API) or `my-instance.messages.upsert` (documents). */
  readonly routingKey: string;
  /** Set when the exchange belongs to one instance. */
  readonly instance?: string;
}

/**
 * Body → envelope, without decoding `data`.
 *
 * @throws MalformedEventError when the body can never be an event: `BODY_EMPTY`, `BODY_NOT_UTF8`,
 *   `BODY_NOT_JSON`, `BODY_NOT_OBJECT`, `EVENT_MISSING`, `INSTANCE_MISSING`, or is made to cost more than an event may:
 *   `TOO_MANY_KEYS`, `KEY_TOO_LONG`, `NAME_TOO_LONG`
 */
export function parseEnvelope(body: Buffer, origin: Origin, since?: number): Envelope {
  if (body.length === 0) throw new MalformedEventError('BODY_EMPTY', 'the body is empty');
  if (!isUtf8(body)) throw new MalformedEventError('BODY_NOT_UTF8', 'the body is not UTF-8');
  const members = membersOf(body);

  const named = nameOf(body, members.get('event'));
  const fallback = named === undefined || !members.has('instance') ? fromRoutingKey(origin) : undefined;
  const event = named ?? fallback?.event;
  const instance = nameOf(body, members.get('instance')) ?? origin.instance ?? fallback?.instance;
  if (event === undefined) {
    throw new MalformedEventError('EVENT_MISSING', 'neither the body nor the routing key names the event');
  }
  if (instance === undefined) {
    throw new MalformedEventError(
      'INSTANCE_MISSING',
      'neither the body nor the routing key names the instance',
    );
  }
  const dateTime = textOf(body, members.get('date_time'));
  return {
    id: eventId(instance, event, dateTime, body, members.get('data')),
    event,
    instance,
    dateTime,
    body,
    members,
    since,
  };
}

/** Duplicates count, too. */
function membersOf(body: Buffer): Map<string, Span> {
  const members = new Map<string, Span>();
  let count = 0;
  eachMember(body, { start: 0, end: body.length }, (key, value) => {
    if (++count > MAX_ROOT_KEYS)
      throw new MalformedEventError('TOO_MANY_KEYS', `the body has more than ${MAX_ROOT_KEYS} root keys`);
    if (key.end - key.start > MAX_NAME_BYTES)
      throw new MalformedEventError('KEY_TOO_LONG', `a root key has more than ${MAX_NAME_BYTES} bytes`);
    members.set(decodeKnownString(body, key), value);
  });
  return members;
}

function nameOf(body: Buffer, span: Span | undefined): string | undefined {
  return isName(body, span) ? decodeKnownString(body, span) || undefined : undefined;
}

function textOf(body: Buffer, span: Span | undefined): string | undefined {
  return isName(body, span) ? decodeString(body, span) || undefined : undefined;
}

function isName(body: Buffer, span: Span | undefined): span is Span {
  if (span === undefined || !isString(body, span)) return false;
  if (span.end - span.start > MAX_NAME_BYTES)
    throw new MalformedEventError(
      'NAME_TOO_LONG',
      `event, instance or date_time has more than ${MAX_NAME_BYTES} bytes`,
    );
  return true;
}

/** `my-instance.messages.upsert` → both; the event is recognised by the catalogue, as instance names hold dots. */
function fromRoutingKey({ routingKey }: Origin): { event: string; instance: string | undefined } | undefined {
  if (findEvent(routingKey) !== undefined) return { event: routingKey, instance: undefined };
  for (let dot = routingKey.indexOf('.'); dot !== -1; dot = routingKey.indexOf('.', dot + 1)) {
    const event = routingKey.slice(dot + 1);
    if (findEvent(event) !== undefined) return { event, instance: routingKey.slice(0, dot) || undefined };
  }
  return undefined;
}

/** Small texts are hashed in one call, from here: twice as fast as a hash object for each. */
const scratch = Buffer.allocUnsafe(32_768);

function eventId(
  instance: string,
  event: string,
  dateTime: string | undefined,
  body: Buffer,
  data: Span | undefined,
): EventId {
  const head = JSON.stringify([instance, event, dateTime ?? null]);
  const { start, end } = data ?? { start: 0, end: 0 };
  const size = head.length * 3 + end - start;
  if (size > scratch.length) {
    const large = createHash('sha256').update(head).update(body.subarray(start, end));
    return large.digest('base64url').slice(0, 22) as EventId;
  }
  const headEnd = scratch.write(head);
  const length = headEnd + body.copy(scratch, headEnd, start, end);
  return hash('sha256', scratch.subarray(0, length), 'base64url').slice(0, 22) as EventId;
}
