import type { Span, Visit } from './json-scanner';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const SPACE = 0x20;
/** A string that is longer is searched for its end by `indexOf`: base64 makes up most of a large event. */
const LONG_STRING = 128;

/**
 * Where a member's key (with quotes) and its value stand; `false` ends the walk. Numbers, as an object for each of them is
 * what most of the walk would cost.
 */
export type Glance = (keyStart: number, keyEnd: number, valueStart: number, valueEnd: number) => boolean;

/**
 * Walks through the members of an object, of a text that is known to be JSON: what a full check costs was paid before. A value is
 * passed over when the next member is asked for, and not before: whoever finds an object there may walk through that instead.
 */
export class MemberWalk {
  /** Where the member's key stands, with its quotes. */
  keyStart = 0;
  keyEnd = 0;
  valueStart = 0;
  private text: Buffer = NOTHING;
  private end = 0;
  /** Of the next member; 0 where there is none. */
  private position = 0;
  private knownEnd = 0;

  /**
   * Begins with the object at `start`. Ends quietly where there is none, and at a value that reaches beyond `end`: however large an
   * event is, a look at its first members costs no more than they do.
   */
  begin(text: Buffer, start: number, end: number): void {
    this.text = text;
    this.end = end;
    this.position = text[start] === OPEN_BRACE ? skipSpace(text, start + 1) : 0;
    this.valueStart = 0;
  }

  /** What is held here must not outlive its use. */
  forget(): void {
    this.text = NOTHING;
  }

  /** False behind the last one. */
  next(): boolean {
    const { text, end } = this;
    if (this.valueStart > 0) this.pass();
    const start = this.position;
    if (start === 0 || start >= end || text[start] !== QUOTE) return false;
    this.keyStart = start;
    this.keyEnd = skipString(text, start);
    // A colon, and what space stands around it.
    this.valueStart = skipSpace(text, skipSpace(text, this.keyEnd) + 1);
    this.knownEnd = 0;
    return true;
  }

  /** Somewhere beyond the end of the walk where the value reaches further. */
  get valueEnd(): number {
    if (this.knownEnd === 0) this.knownEnd = skipValue(this.text, this.valueStart, this.end);
    return this.knownEnd;
  }

  private pass(): void {
    const { text, end, valueEnd } = this;
    const comma = valueEnd > end ? -1 : skipSpace(text, valueEnd);
    this.position = text[comma] === COMMA ? skipSpace(text, comma + 1) : 0;
  }
}

const NOTHING = Buffer.alloc(0);

/** Shows each member to `glance` until that says `false`, as `MemberWalk` has it. */
export function skimMembers(text: Buffer, start: number, end: number, glance: Glance): void {
  const walk = new MemberWalk();
  walk.begin(text, start, end);
  while (walk.next()) {
    const { keyStart, keyEnd, valueStart, valueEnd } = walk;
    if (valueEnd > end || !glance(keyStart, keyEnd, valueStart, valueEnd)) return;
  }
}

/** The same for all members of an object, for those to whom a span for each is no matter. */
export function skimAll(text: Buffer, { start, end }: Span, visit: Visit): void {
  skimMembers(text, start, end, (keyStart, keyEnd, valueStart, valueEnd) => {
    visit({ start: keyStart, end: keyEnd }, { start: valueStart, end: valueEnd });
    return true;
  });
}

/** Where the first element of the array at `start` stands; undefined where there is none. */
export function firstElement(text: Buffer, { start, end }: Span): Span | undefined {
  if (text[start] !== OPEN_BRACKET) return undefined;
  const first = skipSpace(text, start + 1);
  return text[first] === CLOSE_BRACKET ? undefined : { start: first, end: skipValue(text, first, end) };
}

/**
 * Whether a text that is known to be JSON has more than this many values between `start` and `end`: decoded, each takes tens of
 * bytes, however short it is. A text too short for this many is not looked at.
 */
export function hasMoreValues(text: Buffer, { start, end }: Span, most: number): boolean {
  if (end - start <= most) return false;
  let count = 1;
  for (let position = start; position < end; position++) {
    const byte = text[position];
    if (byte === QUOTE) position = skipString(text, position) - 1;
    else if ((byte === COMMA || byte === OPEN_BRACE || byte === OPEN_BRACKET) && ++count > most) return true;
  }
  return false;
}

function skipSpace(text: Buffer, start: number): number {
  let position = start;
  while ((text[position] as number) <= SPACE) position++;
  return position;
}

/** Behind the value at `start`; somewhere beyond `end` where it reaches further. */
function skipValue(text: Buffer, start: number, end: number): number {
  const byte = text[start];
  if (byte === QUOTE) return skipString(text, start);
  return byte === OPEN_BRACE || byte === OPEN_BRACKET
    ? skipContainer(text, start, end)
    : skipWord(text, start);
}

function skipContainer(text: Buffer, start: number, end: number): number {
  let depth = 0;
  let position = start;
  do {
    const byte = text[position];
    if (byte === QUOTE) {
      position = skipString(text, position);
      continue;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
    position++;
  } while (depth > 0 && position <= end);
  return depth > 0 ? end + 1 : position;
}

/** A number, `true`, `false` or `null`. */
function skipWord(text: Buffer, start: number): number {
  let position = start;
  for (; position < text.length; position++) {
    const byte = text[position] as number;
    if (byte <= SPACE || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break;
  }
  return position;
}

function skipString(text: Buffer, quote: number): number {
  const near = Math.min(text.length, quote + LONG_STRING);
  let position = quote + 1;
  while (position < near) {
    const byte = text[position];
    if (byte === QUOTE) return position + 1;
    position += byte === BACKSLASH ? 2 : 1;
  }
  return skipLongString(text, position);
}

function skipLongString(text: Buffer, start: number): number {
  let position = start;
  for (;;) {
    const quote = text.indexOf(QUOTE, position);
    if (quote === -1) return text.length;
    if (!isEscaped(text, quote, start)) return quote + 1;
    position = quote + 1;
  }
}

/** Whether an odd number of backslashes stands before it; none before `start` belongs to them. */
function isEscaped(text: Buffer, quote: number, start: number): boolean {
  let first = quote;
  while (first > start && text[first - 1] === BACKSLASH) first--;
  return (quote - first) % 2 === 1;
}
