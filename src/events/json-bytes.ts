import type { Span } from './json-scanner';

/**
 * Since 2.3.6 the core API writes bytes as `{"0":255,"1":216}` and 64-bit numbers as `{"low":1,"high":0,"unsigned":true}`
 * (docs/core-api.md#data). Before, and in Lite, they were base64 and decimal text.
 */

/** Takes what the result is made of, in order: pieces of the text as they stand, and texts in place of others. */
export interface RewriteSink {
  keep(start: number, end: number): void;
  put(bytes: Buffer): void;
}

interface Found {
  readonly end: number;
  readonly replacement: Buffer;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;
const NOT_FOUND = -1;
/** What one of the two begins with. */
const SIGNS = ['"0"', '"low"'];
const LONG_KEYS = ['low', 'high', 'unsigned'] as const;
const INT32 = 2 ** 31;

/** Whether there may be anything to rewrite: a look that costs next to nothing. */
export function mayHoldBytes(text: Buffer, { start, end }: Span): boolean {
  return SIGNS.some((sign) => {
    const at = text.indexOf(sign, start);
    return at !== NOT_FOUND && at < end;
  });
}

/**
 * Rewrites all byte objects and Longs in the JSON at `span`, whose grammar was checked before. All else is kept as it
 * stands. What was rewritten is text, so that doing it again changes nothing.
 */
export function rewriteBytes(text: Buffer, { start, end }: Span, sink: RewriteSink): void {
  let kept = start;
  let position = start;
  while (position < end) {
    const byte = text[position];
    if (byte === QUOTE) position = skipText(text, position);
    else if (byte === OPEN_BRACE) {
      const found = objectAt(text, position);
      if (found === undefined) position++;
      else {
        sink.keep(kept, position);
        sink.put(found.replacement);
        kept = position = found.end;
      }
    } else position++;
  }
  sink.keep(kept, end);
}

function skipText(text: Buffer, quote: number): number {
  let end = quote;
  do end = text.indexOf(QUOTE, end + 1);
  while (isEscaped(text, end));
  return end + 1;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: Buffer, position: number): boolean {
  let first = position;
  while (text[first - 1] === BACKSLASH) first--;
  return (position - first) % 2 === 1;
}

/** The object that begins here, where it is one of the two. */
function objectAt(text: Buffer, brace: number): Found | undefined {
  const first = skipSpace(text, brace + 1);
  if (text[first] !== QUOTE) return undefined;
  return text[first + 1] === ZERO && text[first + 2] === QUOTE ? bytesAt(text, first) : longAt(text, first);
}

/** Bytes of the object that is read; as many as there are are kept room for. */
let room = new Uint8Array(4096);
const MOST_KEY_DIGITS = 9;

/**
 * Keys count up from 0, and every value is a byte. Read by numbers alone, without an object for each: a thumbnail has
 * thousands of them.
 */
function bytesAt(text: Buffer, first: number): Found | undefined {
  let count = 0;
  for (let position = first; ; position = skipSpace(text, position + 1)) {
    const value = afterKey(text, position, count);
    if (value === NOT_FOUND) return undefined;
    const end = digitsEnd(text, value, 3);
    const byte = digitsValue(text, value, end);
    if (end === value || byte > 255) return undefined;
    if (count === room.length) room = grown(room);
    room[count++] = byte;
    position = skipSpace(text, end);
    if (text[position] === CLOSE_BRACE)
      return found(position, Buffer.from(room.buffer, 0, count).toString('base64'));
    if (text[position] !== COMMA) return undefined;
  }
}

/** Where the value of the key `number` begins, where that key stands at `position`. */
function afterKey(text: Buffer, position: number, number: number): number {
  if (text[position] !== QUOTE) return NOT_FOUND;
  const end = digitsEnd(text, position + 1, MOST_KEY_DIGITS);
  if (end === position + 1 || text[end] !== QUOTE) return NOT_FOUND;
  // `00` is another key than `0`.
  if (text[position + 1] === ZERO && end > position + 2) return NOT_FOUND;
  if (digitsValue(text, position + 1, end) !== number) return NOT_FOUND;
  const colon = skipSpace(text, end + 1);
  return text[colon] === COLON ? skipSpace(text, colon + 1) : NOT_FOUND;
}

function digitsEnd(text: Buffer, start: number, most: number): number {
  let end = start;
  while (end - start < most && (text[end] as number) >= ZERO && (text[end] as number) <= NINE) end++;
  return end;
}

function digitsValue(text: Buffer, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index++) value = value * 10 + (text[index] as number) - ZERO;
  return value;
}

function grown(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.length * 2);
  larger.set(bytes);
  return larger;
}

/** The three members of a Long, in whatever order. */
function longAt(text: Buffer, first: number): Found | undefined {
  const members = new Map<string, number>();
  for (let position = first; ; position = skipSpace(text, position)) {
    const key = LONG_KEYS.find((name) => memberValue(text, position, name) !== undefined);
    const value = key === undefined ? undefined : memberValue(text, position, key);
    if (key === undefined || value === undefined || members.has(key)) return undefined;
    const member = key === 'unsigned' ? flagAt(text, value) : wholeAt(text, value);
    if (member === undefined || member.value < -INT32 || member.value >= 2 * INT32) return undefined;
    members.set(key, member.value);
    position = skipSpace(text, member.end);
    if (text[position] === CLOSE_BRACE)
      return members.size === LONG_KEYS.length ? found(position, decimal(members)) : undefined;
    if (text[position] !== COMMA) return undefined;
    position++;
  }
}

function decimal(members: ReadonlyMap<string, number>): string {
  const [low = 0, high = 0, unsigned = 0] = LONG_KEYS.map((key) => members.get(key));
  const bits = (BigInt(high) << 32n) | BigInt.asUintN(32, BigInt(low));
  return String(unsigned === 1 ? BigInt.asUintN(64, bits) : BigInt.asIntN(64, bits));
}

function found(brace: number, value: string): Found {
  return { end: brace + 1, replacement: Buffer.from(`"${value}"`) };
}

/** Where the value begins of a member of this name that begins at `position`. */
function memberValue(text: Buffer, position: number, name: string): number | undefined {
  if (text[position] !== QUOTE || text[position + name.length + 1] !== QUOTE) return undefined;
  for (let index = 0; index < name.length; index++) {
    if (text[position + 1 + index] !== name.charCodeAt(index)) return undefined;
  }
  const colon = skipSpace(text, position + name.length + 2);
  return text[colon] === COLON ? skipSpace(text, colon + 1) : undefined;
}

interface Read {
  readonly start: number;
  readonly value: number;
  readonly end: number;
}

/** A whole number without fraction and exponent. */
function wholeAt(text: Buffer, start: number): Read | undefined {
  const sign = text[start] === MINUS ? -1 : 1;
  const first = sign === 1 ? start : start + 1;
  let end = first;
  let value = 0;
  for (let digit = digitAt(text, end); digit !== undefined && end - first < 11; digit = digitAt(text, end)) {
    value = value * 10 + digit;
    end++;
  }
  const next = text[end];
  const isWhole = end > first && (next === COMMA || next === CLOSE_BRACE || (next ?? 0) <= SPACE);
  return isWhole ? { start, value: sign * value, end } : undefined;
}

function digitAt(text: Buffer, position: number): number | undefined {
  const digit = (text[position] ?? 0) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : undefined;
}

function flagAt(text: Buffer, start: number): Read | undefined {
  if (text.toString('latin1', start, start + 4) === 'true') return { start, value: 1, end: start + 4 };
  return text.toString('latin1', start, start + 5) === 'false'
    ? { start, value: 0, end: start + 5 }
    : undefined;
}

function skipSpace(text: Buffer, start: number): number {
  let position = start;
  while ((text[position] ?? QUOTE) <= SPACE) position++;
  return position;
}
