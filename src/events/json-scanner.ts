import { MalformedEventError } from '../errors';
import { textHint } from './body-hints';
import { OpenContainers } from './open-containers';

/** Half-open range of byte offsets into a JSON text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Called for each member of an object: where its key (with quotes) and its value stand in the text. */
export type Visit = (key: Span, value: Span) => void;

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
/** From an opening brace or bracket to the byte that closes it. */
const TO_CLOSING = 2;
const LOWER_U = 0x75;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** Bytes that end a run of plain string content: quote, backslash, control characters (RFC 8259, section 7). */
const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < SPACE ? 1 : 0,
);
/** Runs longer than this are looked at a word at a time. */
const LONG_RUN = 64;
/** The bytes that may follow a backslash (RFC 8259, section 7), `u` aside. */
const SHORT_ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
/** Of each of a word's four bytes. */
const HIGHEST_BITS = 0x80808080;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/**
 * Visits the members of the JSON object that fills `span`, in order, checking the grammar of everything inside it
 * (RFC 8259) without decoding a single value or keeping anything of it: the bytes of `data` reach the receiver as they came.
 * JSON.parse and JSON.stringify would lose number text beyond 2^53, duplicate keys and escapes.
 *
 * Every function here takes the offset where something begins and returns the offset where it ends; behind the
 * text there are no bytes, which nothing matches.
 *
 * @throws MalformedEventError `BODY_NOT_JSON`, `BODY_NOT_OBJECT`, and what `visit` throws
 */
export function eachMember(text: Buffer, span: Span, visit: Visit): void {
  let position = skipSpace(text, span.start);
  if (text[position] !== OPEN_BRACE)
    throw new MalformedEventError('BODY_NOT_OBJECT', `the body is not a JSON object${textHint(text)}`);
  position = skipSpace(text, position + 1);
  if (text[position] !== CLOSE_BRACE) {
    for (;;) {
      position = skipSpace(text, visitMember(text, position, visit));
      if (text[position] !== COMMA) break;
      position = skipSpace(text, position + 1);
    }
    if (text[position] !== CLOSE_BRACE) throw unexpected(text, position);
  }
  const end = position + 1;
  const rest = skipSpace(text, end);
  if (end > span.end || rest < span.end) throw unexpected(text, Math.min(rest, span.end));
}

function visitMember(text: Buffer, start: number, visit: Visit): number {
  if (text[start] !== QUOTE) throw unexpected(text, start);
  const key = { start, end: skipString(text, start) };
  const colon = skipSpace(text, key.end);
  if (text[colon] !== COLON) throw unexpected(text, colon);
  const valueStart = skipSpace(text, colon + 1);
  const value = { start: valueStart, end: skipValue(text, valueStart) };
  visit(key, value);
  return value.end;
}

function skipSpace(text: Buffer, start: number): number {
  let position = start;
  while ((text[position] as number) <= SPACE && isSpace(text[position] as number)) position++;
  return position;
}

const open = new OpenContainers();

/**
 * Nesting costs no recursion. Space is looked for before it is skipped, here and below, as the core API writes none: a call for each
 * token took a third of the time.
 */
function skipValue(text: Buffer, start: number): number {
  open.clear();
  let position = start;
  do {
    const byte = text[position] as number;
    if (byte === QUOTE) position = skipString(text, position);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      open.push(byte + TO_CLOSING);
      position = skipSpace(text, position + 1);
      if (text[position] !== open.innermost) {
        if (byte === OPEN_BRACE) position = skipKey(text, position);
        continue;
      }
    } else position = skipWord(text, position, byte);
    position = toNextValue(text, position);
  } while (open.innermost !== 0);
  return position;
}

/** After a value: closes the containers that end here; where another value follows, to that. */
function toNextValue(text: Buffer, start: number): number {
  let position = start;
  while (open.innermost !== 0) {
    if ((text[position] as number) <= SPACE) position = skipSpace(text, position);
    if (text[position] === COMMA) {
      if ((text[++position] as number) <= SPACE) position = skipSpace(text, position);
      return open.innermost === CLOSE_BRACE ? skipKey(text, position) : position;
    }
    if (text[position] !== open.innermost) throw unexpected(text, position);
    position++;
    open.pop();
  }
  return position;
}

function skipWord(text: Buffer, start: number, first: number): number {
  return isDigit(first) || first === MINUS ? skipNumber(text, start) : skipLiteral(text, start);
}

/** A key, its colon, and the space around them. */
function skipKey(text: Buffer, start: number): number {
  if (text[start] !== QUOTE) throw unexpected(text, start);
  let position = skipString(text, start);
  if ((text[position] as number) <= SPACE) position = skipSpace(text, position);
  if (text[position] !== COLON) throw unexpected(text, position);
  return (text[++position] as number) <= SPACE ? skipSpace(text, position) : position;
}

function skipString(text: Buffer, quote: number): number {
  let position = quote + 1;
  let long = position + LONG_RUN;
  for (;;) {
    while (ENDS_RUN[text[position] as number] === 0) {
      position++;
      if (position === long) position = skipWords(text, position);
    }
    const byte = text[position];
    if (byte === QUOTE) return position + 1;
    if (byte !== BACKSLASH) throw unexpected(text, position);
    position = skipEscape(text, position);
    long = position + LONG_RUN;
  }
}

/** Sixteen bytes at a time without any that ends a run: base64 makes up most of a large event. */
function skipWords(text: Buffer, start: number): number {
  const aligned = start + (-(text.byteOffset + start) & 3);
  for (let position = start; position < aligned; position++) {
    if (ENDS_RUN[text[position] as number] !== 0) return position;
  }
  if (aligned >= text.length) return start;
  const words = new Int32Array(text.buffer, text.byteOffset + aligned, (text.length - aligned) >> 2);
  const last = words.length - 3;
  let index = 0;
  while (index < last && !hasRunEnd(words, index)) index += 4;
  return aligned + index * 4;
}

/** A test that is quick and too strict comes first, as base64 passes it: the exact one took three times as long. */
function hasRunEnd(words: Int32Array, index: number): boolean {
  const first = words[index] as number;
  const second = words[index + 1] as number;
  const third = words[index + 2] as number;
  const fourth = words[index + 3] as number;
  const possible = mayEnd(first) | mayEnd(second) | mayEnd(third) | mayEnd(fourth);
  if ((possible & HIGHEST_BITS) === 0) return false;
  return ((ends(first) | ends(second) | ends(third) | ends(fourth)) & HIGHEST_BITS) !== 0;
}

/** Sets the highest bit of a byte that `ends` sets, and of some others: space, `!`, and what is not ASCII. */
function mayEnd(word: number): number {
  return (word - 0x23232323) | ((word ^ 0x5c5c5c5c) - 0x01010101);
}

/**
 * Sets the highest bit of a byte where one of the four is a quote, a backslash or below a space (Bit Twiddling Hacks,
 * "hasless").
 */
function ends(word: number): number {
  const quotes = word ^ 0x22222222;
  const backslashes = word ^ 0x5c5c5c5c;
  return (
    ((quotes - 0x01010101) & ~quotes) |
    ((backslashes - 0x01010101) & ~backslashes) |
    ((word - 0x20202020) & ~word)
  );
}

function skipEscape(text: Buffer, backslash: number): number {
  const byte = text[backslash + 1] ?? -1;
  if (SHORT_ESCAPES.has(byte)) return backslash + 2;
  const hex = backslash + 2;
  if (byte === LOWER_U && [0, 1, 2, 3].every((offset) => isHexDigit(text[hex + offset] ?? -1)))
    return hex + 4;
  throw unexpected(text, backslash);
}

function skipLiteral(text: Buffer, start: number): number {
  const first = text[start];
  const literal = first === FALSE[0] ? FALSE : first === TRUE[0] ? TRUE : NULL;
  if (!standsAt(text, start, literal)) throw unexpected(text, start);
  return start + literal.length;
}

function skipNumber(text: Buffer, start: number): number {
  let position = text[start] === MINUS ? start + 1 : start;
  position = text[position] === ZERO ? position + 1 : skipDigits(text, position);
  let byte = text[position] as number;
  // Nearly all are whole numbers.
  if (byte === COMMA || byte === CLOSE_BRACE) return position;
  if (byte === DOT) position = skipDigits(text, position + 1);
  byte = text[position] as number;
  if (byte === LOWER_E || byte === UPPER_E) {
    const sign = text[position + 1];
    position = skipDigits(text, sign === PLUS || sign === MINUS ? position + 2 : position + 1);
  }
  return position;
}

function skipDigits(text: Buffer, start: number): number {
  let position = start;
  for (let byte = text[position] as number; byte >= ZERO && byte <= NINE; byte = text[position] as number)
    position++;
  if (position === start) throw unexpected(text, position);
  return position;
}

function unexpected(text: Buffer, position: number): MalformedEventError {
  const what = position >= text.length ? 'the body ends too early' : `unexpected byte at offset ${position}`;
  return new MalformedEventError('BODY_NOT_JSON', `the body is not JSON: ${what}`);
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Whether the value at `span` is a JSON string token. */
export function isString(text: Buffer, span: Span): boolean {
  return text[span.start] === QUOTE;
}

/** Whether the value at `span` is a JSON object. */
export function isObject(text: Buffer, span: Span): boolean {
  return text[span.start] === OPEN_BRACE;
}

/** Whether `bytes` stand in `text` at `start`. */
export function standsAt(text: Buffer, start: number, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if (text[start + index] !== bytes[index]) return false;
  }
  return true;
}
