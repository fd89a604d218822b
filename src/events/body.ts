import type { Envelope } from './envelope';
import { omitMember } from './json-omit';
import { isString, type Span, standsAt } from './json-scanner';
import { type Normalise, normalised } from './normalise';

/** Keys in their order, each with the comma or brace before it, and the colon. */
interface Layout {
  readonly keys: ReadonlySet<string>;
  readonly tokens: readonly (readonly [key: string, token: Buffer])[];
}

/** Keys in the order of webhooks and Pusher (docs/core-api.md#order-of-the-keys). Extra root keys follow in theirs. */
const WITH_DESTINATION = layoutOf(
  'event',
  'instance',
  'data',
  'destination',
  'date_time',
  'sender',
  'server_url',
  'apikey',
);
/** And in what WebSocket clients receive, which is what RabbitMQ carries. */
const WITHOUT_DESTINATION = layoutOf(
  'event',
  'instance',
  'data',
  'server_url',
  'date_time',
  'sender',
  'apikey',
);

function layoutOf(...keys: readonly string[]): Layout {
  return {
    keys: new Set(keys),
    tokens: keys.map((key, index) => [key, Buffer.from(`${index === 0 ? '{' : ','}"${key}":`)]),
  };
}

/** Keys that the core API adds for SQS alone (docs/core-api.md#order-of-the-keys): no other transport of it has them. */
const OF_SQS: ReadonlySet<string> = new Set(['dataType', 'server']);

const END = Buffer.from('}');
const TOKENS_LENGTH = WITH_DESTINATION.tokens.reduce((sum, [, token]) => sum + token.length, END.length);
/** Most bytes that JSON needs for one unit of a string, and a little more for the quotes of a short one. */
const ESCAPED = 8;
const EMPTY_STRING = 2;
/** Up to this many bytes a loop is faster than a call. */
const SMALL = 32;

export interface BodyOptions {
  /** JSON text of the value of `destination`: the webhook's URL, the Pusher app's id; WebSocket clients have none. */
  readonly destination?: Buffer;
  /** Leave the instance's secrets out, whichever core's body they stand in (`SECRET_KEYS`). */
  readonly stripApikey: boolean;
  /** Path of a member of `data` that is left out, such as `['message', 'base64']`. */
  readonly omitFromData?: readonly string[];
  /** What is written in another form than it came. */
  readonly normalise?: Normalise | undefined;
}

/** Root keys with the secret of an instance: Evolution API's, and evolution-go's. */
export const SECRET_KEYS: ReadonlySet<string> = new Set(['apikey', 'instanceToken']);

/**
 * The body a destination receives: the event's own bytes under the documented keys, in the documented order. What
 * evolution-go sends is the same on every transport of its own, so that its bodies stay as they came.
 */
export function composeBody(envelope: Envelope, options: BodyOptions): Buffer {
  const { normalise } = options;
  const event = normalise === undefined ? envelope : normalised(envelope, normalise);
  return event.core === 'go' ? goBody(event, options) : coreBody(event, options);
}

function goBody({ body, members }: Envelope, { stripApikey }: BodyOptions): Buffer {
  return stripApikey ? [...SECRET_KEYS].filter((key) => members.has(key)).reduce(without, body) : body;
}

function without(body: Buffer, key: string): Buffer {
  const writer = new Writer(body, 0);
  // White space may stand before the object.
  omitMember(body, { start: body.indexOf('{'), end: body.length }, [key], writer.addRange);
  return writer.finish();
}

function coreBody(envelope: Envelope, options: BodyOptions): Buffer {
  const { body, members, event, instance } = envelope;
  const { destination } = options;
  const room = (destination?.length ?? 0) + (event.length + instance.length) * ESCAPED;
  const writer = new Writer(body, room);
  const layout = destination === undefined ? WITHOUT_DESTINATION : WITH_DESTINATION;
  for (const [key, token] of layout.tokens) addMember(writer, envelope, key, token, options);
  const isOfSqs = members.has('dataType') && members.has('server');
  for (const [key, span] of members) {
    if (layout.keys.has(key) || (isOfSqs && OF_SQS.has(key))) continue;
    if (options.stripApikey && SECRET_KEYS.has(key)) continue;
    writer.add(Buffer.from(`,${JSON.stringify(key)}:`));
    writer.addSpan(span);
  }
  writer.add(END);
  return writer.finish();
}

function addMember(
  writer: Writer,
  envelope: Envelope,
  key: string,
  token: Buffer,
  options: BodyOptions,
): void {
  const { body, members } = envelope;
  if (key === 'destination' && options.destination !== undefined) {
    writer.add(token);
    writer.add(options.destination);
    return;
  }
  const span = members.get(key);
  if (key === 'event' || key === 'instance') {
    if (span !== undefined && isNamed(body, span)) return writer.addMember(token, span);
    // Where the body does not name them, the transport did.
    writer.add(token);
    writer.add(Buffer.from(JSON.stringify(envelope[key])));
  } else if (span === undefined || (key === 'apikey' && options.stripApikey)) return;
  else if (key === 'data' && options.omitFromData !== undefined && mentions(body, options.omitFromData)) {
    writer.add(token);
    omitMember(body, span, options.omitFromData, writer.addRange);
  } else writer.addMember(token, span);
}

function isNamed(body: Buffer, span: Span): boolean {
  return isString(body, span) && span.end - span.start > EMPTY_STRING;
}

/** Cheap first look: JSON.stringify escapes no letter or digit, so a key that is there stands there as it is. */
function mentions(body: Buffer, path: readonly string[]): boolean {
  return body.includes(`"${path[path.length - 1]}"`);
}

/** Copies pieces into a new buffer; those that follow each other in the source as they shall here are one copy. */
class Writer {
  private readonly target: Buffer;
  private length = 0;
  /** Piece of the source that is still to be copied. */
  private start = 0;
  private end = 0;

  /** `room` is for what does not come out of `source`, its keys aside. */
  constructor(
    private readonly source: Buffer,
    room: number,
  ) {
    this.target = Buffer.allocUnsafe(source.length + room + TOKENS_LENGTH);
  }

  add(bytes: Buffer): void {
    this.copyPiece();
    this.copy(bytes, 0, bytes.length);
  }

  addSpan({ start, end }: Span): void {
    this.addRange(start, end);
  }

  readonly addRange = (start: number, end: number): void => {
    if (start === end) return;
    if (start !== this.end) {
      this.copyPiece();
      this.start = start;
    }
    this.end = end;
  };

  addMember(token: Buffer, span: Span): void {
    const start = span.start - token.length;
    if (start >= 0 && standsAt(this.source, start, token)) this.addSpan({ start, end: span.end });
    else {
      this.add(token);
      this.addSpan(span);
    }
  }

  finish(): Buffer {
    this.copyPiece();
    return this.target.subarray(0, this.length);
  }

  private copyPiece(): void {
    this.copy(this.source, this.start, this.end);
    this.start = this.end;
  }

  private copy(from: Buffer, start: number, end: number): void {
    const { target, length } = this;
    if (end - start > SMALL) from.copy(target, length, start, end);
    else for (let index = start; index < end; index++) target[length + index - start] = from[index] as number;
    this.length += end - start;
  }
}
