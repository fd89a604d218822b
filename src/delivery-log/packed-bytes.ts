import { standsAt } from '../events/json-scanner';
import { chatFingerprint, fingerprint, finished, mixed, OFFSET } from './fingerprint';
import { decoded } from './message-key';
import { NIBBLES, PLAIN, SEXTETS, SUFFIXES, type TextKind } from './row-format';

const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LAST_ASCII = 0x7f;
const MOST = 0x7fff_ffff;
const NO_VALUE = 0xff;
const SEXTET_OF = valuesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const NIBBLE_OF = valuesOf('0123456789ABCDEF');
const SUFFIX_BYTES = SUFFIXES.map((suffix) => Buffer.from(suffix));

/** Of characters, what each of them counts as; NO_VALUE for all others. */
function valuesOf(characters: string): Uint8Array {
  const values = new Uint8Array(256).fill(NO_VALUE);
  for (const [value, character] of [...characters].entries()) values[character.charCodeAt(0)] = value;
  return values;
}

/**
 * Writes numbers and texts as rows have them (row-format.ts). Each text is written in one pass, which answers with its
 * fingerprint; one that turns out to be no text of its kind is written plain.
 */
export class PackedBytes {
  position = 0;

  constructor(private readonly bytes: Buffer) {}

  /** Whole ones that are not negative; of any other one what is next to it. */
  number(value: number): void {
    const { bytes } = this;
    let { position } = this;
    let rest = value > 0 ? Math.floor(Math.min(value, MOST)) : 0;
    for (; rest > 0x7f; rest >>>= 7) bytes[position++] = (rest & 0x7f) | 0x80;
    bytes[position++] = rest;
    this.position = position;
  }

  signed(value: number): void {
    this.number(value < 0 ? -2 * value - 1 : 2 * value);
  }

  text(text: string): number {
    const start = this.begin(text.length, PLAIN);
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH)
        return this.escaped(start, text);
      bytes[position++] = code;
      hash = mixed(hash, code);
    }
    this.position = position;
    return text === '' ? 0 : finished(hash);
  }

  /** Of a delivery or an event. Four characters at a time: one by one they take twice as long. */
  id(text: string): number {
    const start = this.begin(text.length, SEXTETS);
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    let index = 0;
    for (; index + 3 < text.length; index += 4) {
      const first = text.charCodeAt(index);
      const second = text.charCodeAt(index + 1);
      const third = text.charCodeAt(index + 2);
      const fourth = text.charCodeAt(index + 3);
      const a = sextetOf(first);
      const b = sextetOf(second);
      const c = sextetOf(third);
      const d = sextetOf(fourth);
      if ((a | b | c | d) === NO_VALUE) return this.plain(start, text);
      hash = mixed(mixed(mixed(mixed(hash, first), second), third), fourth);
      bytes[position++] = (a << 2) | (b >> 4);
      bytes[position++] = (b << 4) | (c >> 2);
      bytes[position++] = (c << 6) | d;
    }
    const rest = text.length - index;
    let held = 0;
    for (let place = 0; place < rest; place++) {
      const code = text.charCodeAt(index + place);
      const value = sextetOf(code);
      if (value === NO_VALUE) return this.plain(start, text);
      hash = mixed(hash, code);
      held |= value << (18 - 6 * place);
    }
    for (let place = 0; place < rest; place++) bytes[position++] = held >>> (16 - 8 * place);
    this.position = position;
    return text === '' ? 0 : finished(hash);
  }

  /** Of a message: the inside of a JSON string, where it stands in its event. */
  message(event: Buffer, from: number, to: number): number {
    const start = this.begin(to - from, NIBBLES);
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    for (let index = from; index < to; index++) {
      const byte = event[index] as number;
      const value = NIBBLE_OF[byte] as number;
      if (value === NO_VALUE) return this.plain(start, decoded(event, from, to));
      hash = mixed(hash, byte);
      if (((index - from) & 1) === 0) bytes[position++] = value << 4;
      else bytes[position - 1] = (bytes[position - 1] as number) | value;
    }
    this.position = position;
    return from === to ? 0 : finished(hash);
  }

  /** As a message, of digits before one of the usual suffixes. It is found by what stands before its suffix (`chatFingerprint`). */
  chat(event: Buffer, from: number, to: number): number {
    let end = from;
    while (end < to && isDigit(event[end] as number)) end++;
    const suffix = suffixAt(event, end, to);
    if (suffix < 0) return this.oddChat(decoded(event, from, to));
    const print = this.message(event, from, end);
    this.number(suffix);
    return print;
  }

  private oddChat(chat: string): number {
    this.text(chat);
    this.number(0);
    return chatFingerprint(chat);
  }

  private plain(start: number, text: string): number {
    this.position = start;
    return this.text(text);
  }

  private escaped(start: number, text: string): number {
    const bytes = Buffer.from(JSON.stringify(text).slice(1, -1));
    this.position = start;
    this.begin(bytes.length, PLAIN);
    this.position += bytes.copy(this.bytes, this.position);
    return fingerprint(text);
  }

  /** Where it begins. */
  private begin(length: number, kind: TextKind): number {
    const start = this.position;
    this.number(length * 4 + kind);
    return start;
  }
}

function sextetOf(code: number): number {
  return code > LAST_ASCII ? NO_VALUE : (SEXTET_OF[code] as number);
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** The place of the suffix that is all there is; -1: it is none. */
function suffixAt(event: Buffer, from: number, to: number): number {
  for (let place = 0; place < SUFFIX_BYTES.length; place++) {
    const suffix = SUFFIX_BYTES[place] as Buffer;
    if (suffix.length === to - from && standsAt(event, from, suffix)) return place;
  }
  return -1;
}
