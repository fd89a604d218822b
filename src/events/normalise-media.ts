import type { Envelope } from './envelope';
import { withEdits } from './json-edits';
import { isObject, isString, type Span } from './json-scanner';
import { MemberWalk, skimMembers } from './json-skim';
import { decodeKnownString, decodeString } from './json-strings';

/** Where an event holds media as base64. Its bytes are decoded only where they are needed: they are most of what it takes. */
export interface Media {
  /** The member that holds it: its key with quotes, and its value. */
  readonly member: Span;
  /** The value without its quotes. */
  readonly text: Span;
  readonly mimetype: string;
  /** Bytes that the text stands for, if it is base64. */
  readonly length: number;
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
const EQUALS = 0x3d;
/** Also read as base64, in place of + and /: it is another alphabet. */
const OF_URLS = ['-', '_'];

/** The media in `data.message.base64`; undefined where there is none, or what stands there cannot be base64 by its length. */
export function mediaIn({ body, members }: Envelope): Media | undefined {
  const data = members.get('data');
  if (data === undefined || !isObject(body, data) || !mentionsMedia(body, data)) return undefined;
  const message = messageIn(body, data);
  const member = message === undefined ? undefined : heldIn(body, message);
  if (message === undefined || member === undefined) return undefined;
  const text = { start: member.value.start + 1, end: member.value.end - 1 };
  const length = lengthOf(body, text);
  if (length === 0) return undefined;
  const mimetype = mimetypeIn(body, message, MOST_LEVELS) ?? UNKNOWN_TYPE;
  return { member: { start: member.key.start, end: member.value.end }, text, length, mimetype };
}

/** Writes its bytes into `target`; false where the text is no base64. There must be room for `length` of them. */
export function decodeMedia(
  body: Buffer,
  { text: { start, end }, length }: Media,
  target: Buffer,
  at: number,
): boolean {
  const text = body.toString('latin1', start, end);
  // What is none is left out, and ends it: then there are fewer bytes than the text is long for.
  return !OF_URLS.some((each) => text.includes(each)) && target.write(text, at, length, 'base64') === length;
}

/** The event with a link in place of its media, and what a receiver wants to know before it follows that. */
export function withMediaLink(
  envelope: Envelope,
  { member, mimetype, length }: Media,
  link: MediaLink,
): Envelope {
  const mediaLink = { url: link.url, mimetype, bytes: length, expires: link.expires };
  return withEdits(envelope, [{ ...member, text: Buffer.from(`"mediaLink":${JSON.stringify(mediaLink)}`) }]);
}

function mentionsMedia(body: Buffer, { start, end }: Span): boolean {
  const at = body.indexOf(HOLDER, start);
  return at !== -1 && at < end;
}

interface Member {
  readonly key: Span;
  readonly value: Span;
}

/** It reaches no further than that: to find where its value ends would take as long as all that follows. */
function messageIn(body: Buffer, data: Span): Span | undefined {
  const walk = new MemberWalk();
  walk.begin(body, data.start, data.end);
  while (walk.next()) {
    if (!MESSAGES.has(nameAt(body, walk.keyStart, walk.keyEnd))) continue;
    const message = { start: walk.valueStart, end: data.end };
    return isObject(body, message) ? message : undefined;
  }
  return undefined;
}

function heldIn(body: Buffer, message: Span): Member | undefined {
  const held: Member[] = [];
  skimMembers(body, message.start, message.end, (keyStart, keyEnd, start, end) => {
    if (nameAt(body, keyStart, keyEnd) === 'base64')
      held.push({ key: { start: keyStart, end: keyEnd }, value: { start, end } });
    return true;
  });
  const [only, second] = held;
  // Of two of the same name nobody knows which one counts.
  return only !== undefined && second === undefined && isString(body, only.value) ? only : undefined;
}

function nameAt(body: Buffer, start: number, end: number): string {
  return decodeKnownString(body, { start, end });
}

function lengthOf(body: Buffer, { start, end }: Span): number {
  const characters = end - start;
  return characters % 4 === 0 ? (characters / 4) * 3 - padding(body, end) : 0;
}

function padding(body: Buffer, end: number): number {
  if (body[end - 1] !== EQUALS) return 0;
  return body[end - 2] === EQUALS ? 2 : 1;
}

/** Of the first of the message's parts that says one. */
function mimetypeIn(body: Buffer, message: Span, levels: number): string | undefined {
  let found: string | undefined;
  skimMembers(body, message.start, message.end, (keyStart, keyEnd, start, end) => {
    const value = { start, end };
    if (isObject(body, value)) {
      if (levels > 1 && nameAt(body, keyStart, keyEnd) !== 'contextInfo')
        found = mimetypeIn(body, value, levels - 1);
    } else if (isString(body, value) && nameAt(body, keyStart, keyEnd) === 'mimetype') {
      const type = decodeString(body, value);
      if (TYPE.test(type)) found = type;
    }
    return found === undefined;
  });
  return found;
}
