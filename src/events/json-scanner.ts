import { MalformedEventError } from '../errors';

/** Half-open range of byte offsets into a JSON text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One member of a JSON object: the decoded key, and where key (with quotes) and value stand in the text. */
export interface Member {
  readonly key: string;
  readonly keySpan: Span;
  readonly value: Span;
}

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
const CLOSE_BRACKET = 0x5d;
const LOWER_U = 0x75;

/** Bytes that end a run of plain string content: quote, backslash, control characters (RFC 8259, section 7). */
const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH || byte < 0x20 ? 1 : 0,
);
/** The bytes that may follow a backslash (RFC 8259, section 7), `u` aside. */
const SHORT_ESCAPES = new Set(Buffer.from('"\\/bfnrt'));
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const NULL = Buffer.from('null');

/**
 * Finds the members of the JSON object that fills `span`, checking the grammar of everything inside it
 * (RFC 8259) without decoding a single value: the bytes of `data` reach the receiver as they came.
 * JSON.parse and JSON.stringify would lose number text beyond 2^53, duplicate keys and escapes.
 *
 * @throws MalformedEventError `BODY_NOT_JSON`, `BODY_NOT_OBJECT`
 */
export function scanObject(text: Buffer, span: Span = { start: 0, end: text.length }): Member[] {
  return new Scanner(text, span).members();
}

class Scanner {
  private position: number;
  private readonly end: number;
  /** Closing byte of each open container, innermost last. A plain stack: nesting costs no recursion. */
  private readonly open: number[] = [];

  constructor(
    private readonly text: Buffer,
    span: Span,
  ) {
    this.position = span.start;
    this.end = span.end;
  }

  members(): Member[] {
    if (this.peek() !== OPEN_BRACE)
      throw new MalformedEventError('BODY_NOT_OBJECT', 'the body is not a JSON object');
    this.position++;
    const members: Member[] = [];
    if (this.peek() === CLOSE_BRACE) this.position++;
    else {
      do members.push(this.member());
      while (this.another(CLOSE_BRACE));
    }
    if (this.peek() !== -1) throw this.unexpected();
    return members;
  }

  private member(): Member {
    const keySpan = this.key();
    this.peek();
    const start = this.position;
    this.skipValue();
    return { key: decodeString(this.text, keySpan), keySpan, value: { start, end: this.position } };
  }

  /** Skips white space; the byte that follows it, -1 at the end. */
  private peek(): number {
    const { text, end } = this;
    let position = this.position;
    while (position < end) {
      const byte = text[position] as number;
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) {
        this.position = position;
        return byte;
      }
      position++;
    }
    this.position = position;
    return -1;
  }

  /** After a value: true at a comma, false at the container's end. */
  private another(closing: number): boolean {
    const byte = this.peek();
    if (byte !== COMMA && byte !== closing) throw this.unexpected();
    this.position++;
    return byte === COMMA;
  }

  private key(): Span {
    if (this.peek() !== QUOTE) throw this.unexpected();
    const start = this.position;
    this.skipString();
    const span = { start, end: this.position };
    if (this.peek() !== COLON) throw this.unexpected();
    this.position++;
    return span;
  }

  private skipValue(): void {
    const floor = this.open.length;
    do this.skipScalarOrOpen();
    while (this.open.length > floor && this.advance(floor));
  }

  /** Consumes a scalar or an empty container, or enters a container up to its first value. */
  private skipScalarOrOpen(): void {
    let byte = this.peek();
    while (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      const closing = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
      this.position++;
      if (this.peek() === closing) {
        this.position++;
        return;
      }
      this.open.push(closing);
      if (closing === CLOSE_BRACE) this.key();
      byte = this.peek();
    }
    if (byte === QUOTE) this.skipString();
    else this.skipNumberOrLiteral(byte);
  }

  /** After a value inside a container: closes what ends here; true when another value follows. */
  private advance(floor: number): boolean {
    while (this.open.length > floor) {
      const closing = this.open[this.open.length - 1] as number;
      if (this.another(closing)) {
        if (closing === CLOSE_BRACE) this.key();
        return true;
      }
      this.open.pop();
    }
    return false;
  }

  private skipString(): void {
    const { text } = this;
    let position = this.position + 1;
    for (;;) {
      while (ENDS_RUN[text[position] as number] === 0) position++;
      const byte = position < this.end ? text[position] : undefined;
      if (byte === QUOTE) break;
      if (byte !== BACKSLASH) {
        this.position = position;
        throw this.unexpected();
      }
      position = this.escapeEnd(position);
    }
    this.position = position + 1;
  }

  private escapeEnd(backslash: number): number {
    const byte = this.text[backslash + 1] ?? -1;
    if (SHORT_ESCAPES.has(byte)) return backslash + 2;
    const hex = backslash + 2;
    if (byte === LOWER_U && [0, 1, 2, 3].every((offset) => isHexDigit(this.text[hex + offset] ?? -1)))
      return hex + 4;
    this.position = backslash;
    throw this.unexpected();
  }

  private skipNumberOrLiteral(byte: number): void {
    if (byte === MINUS || isDigit(byte)) this.skipNumber(byte);
    else if (byte === TRUE[0]) this.skipLiteral(TRUE);
    else if (byte === FALSE[0]) this.skipLiteral(FALSE);
    else if (byte === NULL[0]) this.skipLiteral(NULL);
    else throw this.unexpected();
  }

  private skipLiteral(literal: Buffer): void {
    const end = this.position + literal.length;
    if (end > this.end || literal.compare(this.text, this.position, end) !== 0) throw this.unexpected();
    this.position = end;
  }

  private skipNumber(first: number): void {
    if (first === MINUS) this.position++;
    if (this.byte() === ZERO) this.position++;
    else this.skipDigits();
    if (this.byte() === DOT) {
      this.position++;
      this.skipDigits();
    }
    if ((this.byte() | 0x20) === 0x65) {
      this.position++;
      const sign = this.byte();
      if (sign === PLUS || sign === MINUS) this.position++;
      this.skipDigits();
    }
  }

  private skipDigits(): void {
    const start = this.position;
    while (isDigit(this.byte())) this.position++;
    if (this.position === start) throw this.unexpected();
  }

  private byte(): number {
    return this.position < this.end ? (this.text[this.position] as number) : -1;
  }

  private unexpected(): MalformedEventError {
    const what =
      this.position >= this.end ? 'the body ends too early' : `unexpected byte at offset ${this.position}`;
    return new MalformedEventError('BODY_NOT_JSON', `the body is not JSON: ${what}`);
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** The value of the JSON string token at `span`, quotes included in the span. */
export function decodeString(text: Buffer, span: Span): string {
  const inner = text.toString('utf8', span.start + 1, span.end - 1);
  return inner.includes('\\') ? (JSON.parse(`"${inner}"`) as string) : inner;
}

/** Whether the value at `span` is a JSON string token. */
export function isString(text: Buffer, span: Span): boolean {
  return text[span.start] === QUOTE;
}

/** Whether the value at `span` is a JSON object. */
export function isObject(text: Buffer, span: Span): boolean {
  return text[span.start] === OPEN_BRACE;
}

/**
 * The parts of the value at `span` that remain when the member at `path` is left out, in order and byte for
 * byte. Every member of that name goes (JSON allows duplicates); where the path leads nowhere, one part: all.
 */
export function omitMember(text: Buffer, span: Span, path: readonly string[]): Span[] {
  const cuts = cutsOf(text, span, path);
  const parts: Span[] = [];
  let start = span.start;
  for (const cut of cuts) {
    parts.push({ start, end: cut.start });
    start = cut.end;
  }
  parts.push({ start, end: span.end });
  return parts.filter((part) => part.end > part.start);
}

function cutsOf(text: Buffer, span: Span, path: readonly string[]): Span[] {
  const [name, ...rest] = path;
  if (name === undefined || !isObject(text, span)) return [];
  const members = scanObject(text, span);
  if (rest.length > 0) {
    return members.flatMap((member) => (member.key === name ? cutsOf(text, member.value, rest) : []));
  }
  return cutsOfMembers(members, name);
}

/** A cut member takes the comma behind it along; those behind the last kept member the comma before them. */
function cutsOfMembers(members: readonly Member[], name: string): Span[] {
  const first = members[0];
  const last = members[members.length - 1];
  if (first === undefined || last === undefined) return [];
  const lastKept = members.findLastIndex((member) => member.key !== name);
  const kept = members[lastKept];
  if (kept === undefined) return [{ start: first.keySpan.start, end: last.value.end }];
  const cuts = members
    .slice(0, lastKept)
    .flatMap((member, index) =>
      member.key === name
        ? [{ start: member.keySpan.start, end: members[index + 1]?.keySpan.start ?? member.value.end }]
        : [],
    );
  if (kept !== last) cuts.push({ start: kept.value.end, end: last.value.end });
  return cuts;
}
