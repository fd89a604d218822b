import type { Envelope } from './envelope';
import { withEdits } from './json-edits';
import { isObject, isString, type Span } from './json-scanner';
import { skimAll } from './json-skim';
import { decodeKnownString, decodeString } from './json-strings';

/** Media that an event holds as base64. */
export interface Media {
  /** The member that holds it: its key with quotes, and its value. */
  readonly member: Span;
  readonly mimetype: string;
  readonly bytes: Buffer;
}

export interface MediaLink {
  readonly url: string;
  /** ISO time. */
  readonly expires: string;
}

const HOLDER = '"base64"';
/** Of the core API, and of evolution-go. */
const MESSAGES = new Set(['message', 'Message']);
const UNKNOWN_TYPE = 'application/octet-stream';
const TYPE = /^[a-z]{1,50}\/[\w.+-]{1,100}(?:; ?[\w-]{1,50}=[\w.-]{1,50}){0,4}$/i;
/** Messages within messages, such as a document with a caption. */
const MOST_LEVELS = 4;
/** Also read as base64, in place of + and /: it is another alphabet. */
const OF_URLS = ['-', '_'];

/** The media in `data.message.base64`; undefined where there is none, or what stands there is no base64. */
export function mediaIn({ body, members }: Envelope): Media | undefined {
  const data = members.get('data');
  if (data === undefined || !isObject(body, data) || !mentionsMedia(body, data)) return undefined;
  const message = membersOf(body, data).find(({ name }) => MESSAGES.has(name))?.value;
  if (message === undefined || !isObject(body, message)) return undefined;
  const parts = membersOf(body, message);
  const held = parts.filter(({ name }) => name === 'base64');
  const [only, second] = held;
  // Of two of the same name nobody knows which one counts.
  if (only === undefined || second !== undefined || !isString(body, only.value)) return undefined;
  const bytes = decoded(body, only.value);
  if (bytes === undefined) return undefined;
  const member = { start: only.key.start, end: only.value.end };
  return { member, bytes, mimetype: mimetypeIn(body, parts, MOST_LEVELS) ?? UNKNOWN_TYPE };
}

/** The event with a link in place of its media, and what a receiver wants to know before it follows that. */
export function withMediaLink(
  envelope: Envelope,
  { member, mimetype, bytes }: Media,
  link: MediaLink,
): Envelope {
  const mediaLink = { url: link.url, mimetype, bytes: bytes.length, expires: link.expires };
  return withEdits(envelope, [{ ...member, text: Buffer.from(`"mediaLink":${JSON.stringify(mediaLink)}`) }]);
}

function mentionsMedia(body: Buffer, { start, end }: Span): boolean {
  const at = body.indexOf(HOLDER, start);
  return at !== -1 && at < end;
}

interface Member {
  readonly name: string;
  readonly key: Span;
  readonly value: Span;
}

function membersOf(body: Buffer, object: Span): Member[] {
  const members: Member[] = [];
  skimAll(body, object, (key, value) => members.push({ name: decodeKnownString(body, key), key, value }));
  return members;
}

function decoded(body: Buffer, { start, end }: Span): Buffer | undefined {
  const text = body.toString('latin1', start + 1, end - 1);
  if (text.length === 0 || text.length % 4 !== 0 || OF_URLS.some((each) => text.includes(each)))
    return undefined;
  const bytes = Buffer.from(text, 'base64');
  // What is none is left out, and ends it: then there are fewer bytes than the text is long for.
  return bytes.length === (text.length / 4) * 3 - padding(text) ? bytes : undefined;
}

function padding(text: string): number {
  if (text.endsWith('==')) return 2;
  return text.endsWith('=') ? 1 : 0;
}

/** Of the first of the message's parts that says one. */
function mimetypeIn(body: Buffer, parts: readonly Member[], levels: number): string | undefined {
  for (const { name, value } of parts) {
    if (name === 'mimetype' && isString(body, value)) {
      const type = decodeString(body, value);
      if (TYPE.test(type)) return type;
    }
    if (levels === 1 || name === 'contextInfo' || !isObject(body, value)) continue;
    const inner = mimetypeIn(body, membersOf(body, value), levels - 1);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
