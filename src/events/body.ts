import type { Envelope } from './envelope';
import { omitMember, type Span } from './json-scanner';

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
const KEY_TOKENS = new Map(
  KEY_ORDER.map((key, index) => [key, Buffer.from(`${index === 0 ? '{' : ','}"${key}":`)]),
);
const END = Buffer.from('}');

export interface BodyOptions {
  /** Value of the key `destination`: the webhook's URL, the Pusher app's id. */
  readonly destination: string;
  /** Leave the key `apikey` out. */
  readonly stripApikey: boolean;
  /** Path of a member of `data` that is left out, such as `['message', 'base64']`. */
  readonly omitFromData?: readonly string[];
}

/** The body a destination receives: the event's own bytes under the documented keys, in the documented order. */
export function composeBody(envelope: Envelope, options: BodyOptions): Buffer {
  const { body, members } = envelope;
  const parts: Buffer[] = [];
  for (const [key, token] of KEY_TOKENS) {
    const value = bytesOf(envelope, key, options);
    if (value.length > 0) parts.push(token, ...value);
  }
  for (const [key, span] of members) {
    if (!ORDERED.has(key)) parts.push(Buffer.from(`,${JSON.stringify(key)}:`), slice(body, span));
  }
  parts.push(END);
  return Buffer.concat(parts);
}

function bytesOf(envelope: Envelope, key: (typeof KEY_ORDER)[number], options: BodyOptions): Buffer[] {
  const { body, members } = envelope;
  if (key === 'destination') return [Buffer.from(JSON.stringify(options.destination))];
  if (key === 'apikey' && options.stripApikey) return [];
  if (key === 'event') return [Buffer.from(JSON.stringify(envelope.event))];
  if (key === 'instance') return [Buffer.from(JSON.stringify(envelope.instance))];
  const span = members.get(key);
  if (span === undefined) return [];
  if (key === 'data' && options.omitFromData !== undefined && mentions(body, options.omitFromData)) {
    return omitMember(body, span, options.omitFromData).map((part) => slice(body, part));
  }
  return [slice(body, span)];
}

/** Cheap first look: JSON.stringify escapes no letter or digit, so a key that is there stands there as it is. */
function mentions(body: Buffer, path: readonly string[]): boolean {
  return body.includes(`"${path[path.length - 1]}"`);
}

function slice(body: Buffer, span: Span): Buffer {
  return body.subarray(span.start, span.end);
}
