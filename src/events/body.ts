import type { Envelope } from './envelope';
import { isString, omitMember, type Span } from './json-scanner';

/** Order of the keys in what webhooks and Pusher receive (contract B.2); extra root keys follow in theirs. */
const KEY_ORDER = [
  'event',
  'instance',
  'data',
  'destination',
  'date_time',
  'sender',
  'server_url',
  'apikey',
] as const;
const ORDERED: ReadonlySet<string> = new Set(KEY_ORDER);
const KEY_TOKENS: readonly (readonly [(typeof KEY_ORDER)[number], Buffer])[] = KEY_ORDER.map((key, index) => [
  key,
  Buffer.from(`${index === 0 ? '{' : ','}"${key}":`),
]);
const END = Buffer.from('}');
const EMPTY_STRING = 2;

export interface BodyOptions {
  /** JSON text of the value of `destination`: the webhook's URL, the Pusher app's id. */
  readonly destination: Buffer;
  /** Leave the key `apikey` out. */
  readonly stripApikey: boolean;
  /** Path of a member of `data` that is left out, such as `['message', 'base64']`. */
  readonly omitFromData?: readonly string[];
}

/** The body a destination receives: the event's own bytes under the documented keys, in the documented order. */
export function composeBody(envelope: Envelope, options: BodyOptions): Buffer {
  const { body, members } = envelope;
  const pieces = new Pieces(body);
  for (const [key, token] of KEY_TOKENS) addMember(pieces, envelope, key, token, options);
  for (const [key, span] of members) {
    if (ORDERED.has(key)) continue;
    pieces.add(Buffer.from(`,${JSON.stringify(key)}:`));
    pieces.addSpan(span);
  }
  pieces.add(END);
  return pieces.join();
}

function addMember(
  pieces: Pieces,
  envelope: Envelope,
  key: (typeof KEY_ORDER)[number],
  token: Buffer,
  options: BodyOptions,
): void {
  const { body, members } = envelope;
  const span = members.get(key);
  if (key === 'destination') pieces.add(token, options.destination);
  else if (key === 'event' || key === 'instance') {
    // Where the body does not name them, the transport did.
    if (span === undefined || !isString(body, span) || span.end - span.start === EMPTY_STRING)
      pieces.add(token, Buffer.from(JSON.stringify(envelope[key])));
    else pieces.addMember(token, span);
  } else if (span === undefined || (key === 'apikey' && options.stripApikey)) return;
  else if (key === 'data' && options.omitFromData !== undefined && mentions(body, options.omitFromData)) {
    pieces.add(token);
    for (const part of omitMember(body, span, options.omitFromData)) pieces.addSpan(part);
  } else pieces.addMember(token, span);
}

/** Cheap first look: JSON.stringify escapes no letter or digit, so a key that is there stands there as it is. */
function mentions(body: Buffer, path: readonly string[]): boolean {
  return body.includes(`"${path[path.length - 1]}"`);
}

/** Collects what to copy; members that follow each other in the source as they shall in the result are one copy. */
class Pieces {
  private readonly sources: Buffer[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private length = 0;

  constructor(private readonly body: Buffer) {}

  add(...buffers: readonly Buffer[]): void {
    for (const buffer of buffers) this.push(buffer, 0, buffer.length);
  }

  addSpan({ start, end }: Span): void {
    this.push(this.body, start, end);
  }

  addMember(token: Buffer, { start, end }: Span): void {
    const tokenStart = start - token.length;
    if (tokenStart < 0 || !stands(token, this.body, tokenStart)) {
      this.add(token);
      this.push(this.body, start, end);
    } else this.push(this.body, tokenStart, end);
  }

  join(): Buffer {
    const result = Buffer.allocUnsafe(this.length);
    let position = 0;
    for (const [index, source] of this.sources.entries()) {
      position += source.copy(result, position, this.starts[index] ?? 0, this.ends[index] ?? 0);
    }
    return result;
  }

  private push(source: Buffer, start: number, end: number): void {
    this.length += end - start;
    const last = this.sources.length - 1;
    if (this.sources[last] === source && this.ends[last] === start) this.ends[last] = end;
    else {
      this.sources.push(source);
      this.starts.push(start);
      this.ends.push(end);
    }
  }
}

function stands(token: Buffer, text: Buffer, start: number): boolean {
  for (let index = 0; index < token.length; index++) {
    if (text[start + index] !== token[index]) return false;
  }
  return true;
}
