import type { Span } from './json-scanner';
import { decodeKnownString } from './json-strings';

/** A member whose value is a name of somebody at WhatsApp, or that may take one. */
export interface JidMember {
  /** With its quotes. */
  readonly key: Span;
  readonly value: Span;
  /** The part before the @ and the device, where it is a LID or a phone number. */
  readonly kind: 'lid' | 'number' | 'other';
  readonly user: string;
}

/** One object in which somebody is named by a LID or a phone number, all its members by name. */
export type JidObject = ReadonlyMap<string, JidMember>;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const AT = 0x40;
const LID_END = '@lid"';
/** Longer ones are no name. */
const MAX_JID = 48;
const JID = /^"(\d{5,20})(?::\d{1,5})?@(lid|s\.whatsapp\.net)"$/;
/** No event is deeper: what is, stays as it came. */
const MAX_DEPTH = 256;
/** Members of objects that name somebody. What has more would hold up everything else in the process, and stays as it came. */
const MAX_MEMBERS = 60_000;
/** Longer texts are searched for their end by `indexOf`. */
const SHORT = 32;
/** Objects of numbers of at least this many bytes, and at most this many, are stepped over in one go: a thumbnail has thousands of members. */
const NUMBERS = { least: 128, most: 65_536 };

/** Whether somebody is named by a LID: a look that costs next to nothing. */
export function mayHoldLids(text: Buffer, { start, end }: Span): boolean {
  const at = text.indexOf(LID_END, start);
  return at !== -1 && at < end;
}

/** An object, or an array, that is not read to its end. */
interface Open {
  readonly isObject: boolean;
  /** Where its members begin among those that are held. */
  readonly first: number;
  hasJid: boolean;
  /** Of the member that is read; below 0 where none is. */
  keyStart: number;
  keyEnd: number;
}

/** Every object in the JSON at `span` that names somebody; in one pass, however deep. The grammar was checked before. */
export function jidObjects(text: Buffer, span: Span): readonly JidObject[] {
  return new JidReader(text).read(span);
}

const NONE = -1;
/** Numbers that are held for each member. */
const HELD = 5;
const KINDS = ['other', 'lid', 'number'] as const;
/** Room for more members than that is given up afterwards. */
const MOST_KEPT = 65_536;

/** Members of what is not read to its end. It is read in one go, so that all readers have the same room. */
let held: number[] = [];

/** Members are numbers until their object turns out to name somebody, as most do not: that is most of what a look costs. */
class JidReader {
  private readonly found: JidObject[] = [];
  private readonly open: Open[] = [];
  private count = 0;
  /** Of the objects that were found. */
  private members = 0;

  constructor(private readonly text: Buffer) {}

  read({ start, end }: Span): readonly JidObject[] {
    const found = this.readUntil(start, end);
    if (held.length > MOST_KEPT) held = [];
    return found;
  }

  private readUntil(start: number, end: number): readonly JidObject[] {
    const { text } = this;
    let position = start;
    while (position < end && !this.isTooMuch) {
      const byte = text[position] as number;
      if (byte === QUOTE) position = this.string(position);
      else if (byte === COMMA || byte === COLON || byte <= SPACE) position++;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (this.open.length >= MAX_DEPTH) return [];
        position = this.enter(position, byte === OPEN_BRACE);
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.close();
        this.member(position, ++position, 0);
      } else {
        const begin = position;
        position = wordEnd(text, begin);
        this.member(begin, position, 0);
      }
    }
    return this.isTooMuch ? [] : this.found;
  }

  private enter(start: number, isObject: boolean): number {
    const end = isObject ? numbersEnd(this.text, start) : NONE;
    if (end === NONE) {
      this.open.push({ isObject, first: this.count, hasJid: false, keyStart: NONE, keyEnd: NONE });
      return start + 1;
    }
    this.member(end - 1, end, 0);
    return end;
  }

  private string(start: number): number {
    const end = textEnd(this.text, start);
    const top = this.open[this.open.length - 1];
    if (top?.isObject === true && top.keyStart === NONE) {
      top.keyStart = start;
      top.keyEnd = end;
    } else this.member(start, end, kindOf(this.text, start, end));
    return end;
  }

  /** The value of a member ended. Of a container only the end is known: it is nobody's name. */
  private member(start: number, end: number, kind: number): void {
    const top = this.open[this.open.length - 1];
    if (top === undefined || top.keyStart === NONE) return;
    const at = this.count;
    held[at] = top.keyStart;
    held[at + 1] = top.keyEnd;
    held[at + 2] = start;
    held[at + 3] = end;
    held[at + 4] = kind;
    this.count = at + HELD;
    if (kind !== 0) top.hasJid = true;
    top.keyStart = NONE;
  }

  private close(): void {
    const closed = this.open.pop();
    if (closed === undefined) return;
    if (closed.hasJid) {
      this.members += (this.count - closed.first) / HELD;
      if (!this.isTooMuch) this.found.push(this.objectOf(closed.first));
    }
    this.count = closed.first;
  }

  private objectOf(first: number): JidObject {
    const members = new Map<string, JidMember>();
    const { text } = this;
    const number = (place: number): number => held[place] as number;
    for (let index = first; index < this.count; index += HELD) {
      const key = { start: number(index), end: number(index + 1) };
      const value = { start: number(index + 2), end: number(index + 3) };
      const kind = KINDS[number(index + 4)] ?? 'other';
      const user = kind === 'other' ? '' : userOf(text, value);
      members.set(decodeKnownString(text, key), { key, value, kind, user });
    }
    return members;
  }

  private get isTooMuch(): boolean {
    return this.members > MAX_MEMBERS;
  }
}

/**
 * Behind the object at `brace`, where it holds nothing but numbers under numbers, as bytes of 2.3.6 do, and names nobody. Its
 * end is known by a digit, a quote, a colon and digits before it: within a text no quote stands behind a digit.
 */
function numbersEnd(text: Buffer, brace: number): number {
  if (text[brace + 1] !== QUOTE || !isDigit(text[brace + 2])) return NONE;
  const inner = text.subarray(brace + 1, brace + NUMBERS.most);
  const length = inner.indexOf(CLOSE_BRACE);
  if (length < NUMBERS.least) return NONE;
  let last = length - 1;
  while (isDigit(inner[last])) last--;
  const isMember = inner[last] === COLON && inner[last - 1] === QUOTE && isDigit(inner[last - 2]);
  if (last === length - 1 || !isMember) return NONE;
  const members = inner.subarray(0, length);
  const isPlain = ![OPEN_BRACE, OPEN_BRACKET, AT].some((byte) => members.includes(byte));
  return isPlain ? brace + 2 + length : NONE;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}

/** The part before the @ and the device. */
function userOf(text: Buffer, { start, end }: Span): string {
  let last = start + 1;
  while (isDigit(text[last])) last++;
  return text.toString('latin1', start + 1, Math.min(last, end));
}

const D = 0x64;
const T = 0x74;

/** Index of its kind. What its last letter says saves decoding most texts. */
function kindOf(text: Buffer, start: number, end: number): number {
  const last = text[end - 2];
  if ((last !== D && last !== T) || end - start > MAX_JID) return 0;
  const [, user, server] = JID.exec(text.toString('latin1', start, end)) ?? [];
  if (user === undefined) return 0;
  return server === 'lid' ? 1 : 2;
}

function textEnd(text: Buffer, quote: number): number {
  let end = quote;
  do end = quoteAfter(text, end + 1);
  while (text[end - 1] === BACKSLASH && isEscaped(text, end));
  return end + 1;
}

/** A loop is quicker than a call where the text is short. */
function quoteAfter(text: Buffer, start: number): number {
  const near = start + SHORT;
  for (let end = start; end < near; end++) if (text[end] === QUOTE) return end;
  return text.indexOf(QUOTE, near);
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: Buffer, position: number): boolean {
  let first = position;
  while (text[first - 1] === BACKSLASH) first--;
  return (position - first) % 2 === 1;
}

/** Behind a number, `true`, `false` or `null`. */
function wordEnd(text: Buffer, start: number): number {
  let end = start;
  for (let byte = text[end]; byte !== undefined && byte > SPACE; byte = text[++end])
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
  return end;
}
