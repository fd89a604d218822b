import { isUtf8 } from 'node:buffer';
import { MalformedEventError } from '../errors';
import { binaryHint, envelopeHint } from './body-hints';
import { findEvent } from './catalogue';
import { type EventId, idOf, madeUpId } from './event-id';
import { eachMember, isString, type Span } from './json-scanner';
import { decodeKnownString, decodeString } from './json-strings';

/**
 * Root keys of one body, and bytes of each as it is written. The core API sends nine; more are passed on, but each costs
 * many times the memory that its bytes take.
 */
const MAX_ROOT_KEYS = 256;
/** Of a key, of `event`, `instance` and `date_time`: these are decoded, and become part of ids, keys and log lines. */
const MAX_NAME_BYTES = 1024;

/** Whose event it is: Evolution API's, which documents call the core API, or evolution-go's. Their bodies differ. */
export type Core = 'api' | 'go';

/** A parsed event. Values stay where they are in `body`; only what routing needs is decoded. */
export interface Envelope {
  readonly id: EventId;
  /**
   * What equal messages have in common. It is the id, where the body or the broker identifies the emission. It is another
   * one where neither does: then the id was made up when the message was received, as two emissions of the same bytes are
   * two events.
   */
  readonly contentKey: EventId;
  readonly core: Core;
  readonly event: string;
  readonly instance: string;
  /** Of evolution-go's events, where they have one: settings may be under it. */
  readonly instanceId: string | undefined;
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
  /** Set where it is traced: what its attempts belong to (pipeline/tracing.ts). */
  readonly traceparent?: string;
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
 * @param messageId identity of this one message, where its broker keeps one across redeliveries
 * @throws MalformedEventError when the body can never be an event: `BODY_EMPTY`, `BODY_NOT_UTF8`,
 *   `BODY_NOT_JSON`, `BODY_NOT_OBJECT`, `EVENT_MISSING`, `INSTANCE_MISSING`, `INSTANCE_NAME_MISSING`, or is made to cost more
 *   than an event may: `TOO_MANY_KEYS`, `KEY_TOO_LONG`, `NAME_TOO_LONG`
 */
export function parseEnvelope(body: Buffer, origin: Origin, since?: number, messageId?: string): Envelope {
  return parse(body, { origin, since, messageId, id: undefined });
}

function parse(body: Buffer, { origin, since, messageId, id }: Known): Envelope {
  if (body.length === 0) throw new MalformedEventError('BODY_EMPTY', 'the body is empty');
  if (!isUtf8(body))
    throw new MalformedEventError('BODY_NOT_UTF8', `the body is not UTF-8${binaryHint(body)}`);
  const members = membersOf(body);
  const event = nameOf(body, members.get('event'));
  const instance = nameOf(body, members.get('instance'));
  const parsed = { body, members, origin, since, messageId, id };
  return instance === undefined && GO_KEYS.some((key) => members.has(key))
    ? goEnvelope(parsed, event)
    : coreEnvelope(parsed, event, instance);
}

/** The same of one that was parked: its id is known, so that its `data` is not hashed again. */
export function parseStoredEnvelope(body: Buffer, origin: Origin, id: EventId): Envelope {
  return parse(body, { origin, since: undefined, messageId: undefined, id });
}

/** What is known beside the body itself. */
interface Known {
  readonly origin: Origin;
  readonly since: number | undefined;
  readonly messageId: string | undefined;
  readonly id: EventId | undefined;
}

/** What is known of a body before anybody asks whose it is. */
interface ParsedBody extends Known {
  readonly body: Buffer;
  readonly members: ReadonlyMap<string, Span>;
}

function coreEnvelope(
  { body, members, origin, since, id: known }: ParsedBody,
  named: string | undefined,
  namedInstance: string | undefined,
): Envelope {
  const fallback = named === undefined || !members.has('instance') ? fromRoutingKey(origin) : undefined;
  const event = named ?? fallback?.event;
  const instance = namedInstance ?? origin.instance ?? fallback?.instance;
  if (event === undefined) throw eventMissing(members);
  if (instance === undefined) {
    throw new MalformedEventError(
      'INSTANCE_MISSING',
      'neither the body nor the routing key names the instance',
    );
  }
  const dateTime = textOf(body, members.get('date_time'));
  const names = JSON.stringify([instance, event, dateTime ?? null]);
  const id = known ?? idOf({ names, body, content: members.get('data'), timed: dateTime !== undefined });
  return {
    id,
    contentKey: id,
    core: 'api',
    event,
    instance,
    instanceId: undefined,
    dateTime,
    body,
    members,
    since,
  };
}

/** Root keys of evolution-go's bodies by which it is known, and which name its instance in place of `instance`. */
const GO_KEYS = ['instanceName', 'instanceToken', 'instanceId'];

/**
 * evolution-go's body (docs/evolution-go.md#bodies). It carries no time, so that only its broker can tell a message that
 * comes again from another one of the same bytes.
 */
function goEnvelope(
  { body, members, since, messageId, id: known }: ParsedBody,
  event: string | undefined,
): Envelope {
  const instance = nameOf(body, members.get('instanceName'));
  if (event === undefined) throw eventMissing(members);
  if (instance === undefined) {
    throw new MalformedEventError(
      'INSTANCE_NAME_MISSING',
      `the body is one of evolution-go's (${GO_KEYS.filter((key) => members.has(key)).join(', ')}) and instanceName does not name the instance`,
    );
  }
  const names = JSON.stringify([instance, event, 'go', messageId ?? null]);
  const contentKey = known ?? idOf({ names, body, content: { start: 0, end: body.length }, timed: false });
  return {
    id: known === undefined && messageId === undefined ? madeUpId() : contentKey,
    contentKey,
    core: 'go',
    event,
    instance,
    instanceId: nameOf(body, members.get('instanceId')),
    dateTime: undefined,
    body,
    members,
    since,
  };
}

function eventMissing(members: ReadonlyMap<string, Span>): MalformedEventError {
  return new MalformedEventError(
    'EVENT_MISSING',
    `neither the body nor the routing key names the event${envelopeHint(members)}`,
  );
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
      `event, date_time or what names the instance has more than ${MAX_NAME_BYTES} bytes`,
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

/** The same event under the id that it had before. */
export function withId(envelope: Envelope, id: EventId): Envelope {
  return envelope.id === id ? envelope : { ...envelope, id };
}
