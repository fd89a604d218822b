import { HAPPENINGS, type LogRecord } from './log-record';

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const LAST_ASCII = 0x7f;
/** What `JSON.stringify` makes of one unit of UTF-16 at most: `\\u0000`. */
const MOST_BYTES_EACH = 6;
/** Numbers, tabs and the end of a line. */
const OTHER_BYTES = 128;

/** The names of a line that come again and again, as bytes. */
const MOST_KNOWN = 8192;
const known = new Map<string, Buffer>();

/** More than a line of the record takes, in bytes. */
export function roomFor(record: LogRecord): number {
  const { id, destination, instance, event, message, chat, alias, code, answer } = record;
  const names = id.length + destination.length + instance.length + event.length;
  const texts = message.length + chat.length + alias.length + code.length + answer.length;
  return OTHER_BYTES + MOST_BYTES_EACH * (names + texts);
}

/**
 * Writes lines of records (`recordOf` reads them) byte by byte: to join a line's fields as text costs three times as much,
 * and each delivery pays for it.
 */
export class LineWriter {
  private position = 0;
  private lastAt = -1;
  private atText = '';

  constructor(private readonly bytes: Buffer) {}

  get length(): number {
    return this.position;
  }

  clear(): void {
    this.position = 0;
  }

  /** There must be `roomFor` it. */
  write(record: LogRecord): void {
    this.number(HAPPENINGS.indexOf(record.what));
    this.text(this.timeOf(record.at));
    this.number(record.attempt);
    this.number(record.durationMs);
    this.number(record.status);
    this.number(record.bytes);
    this.text(record.id);
    this.known(record.destination);
    this.known(record.instance);
    this.known(record.event);
    this.text(record.message);
    this.text(record.chat);
    this.text(record.alias);
    this.text(record.code);
    this.text(record.answer);
    this.bytes[this.position - 1] = NEWLINE;
  }

  /** Many events come within one millisecond. */
  private timeOf(at: number): string {
    if (at !== this.lastAt) {
      this.lastAt = at;
      this.atText = at.toString(36);
    }
    return this.atText;
  }

  private number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 1000) this.small(value);
    else this.text(String(value));
  }

  private small(value: number): void {
    const { bytes } = this;
    if (value > 99) bytes[this.position++] = ZERO + Math.floor(value / 100);
    if (value > 9) bytes[this.position++] = ZERO + (Math.floor(value / 10) % 10);
    bytes[this.position++] = ZERO + (value % 10);
    bytes[this.position++] = TAB;
  }

  private text(text: string): void {
    const { bytes } = this;
    let { position } = this;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH)
        return this.escaped(text);
      bytes[position++] = code;
    }
    bytes[position++] = TAB;
    this.position = position;
  }

  private escaped(text: string): void {
    this.position += this.bytes.write(JSON.stringify(text).slice(1, -1), this.position);
    this.bytes[this.position++] = TAB;
  }

  private known(name: string): void {
    let bytes = known.get(name);
    if (bytes === undefined) {
      if (known.size >= MOST_KNOWN) known.clear();
      bytes = Buffer.from(JSON.stringify(name).slice(1, -1));
      known.set(name, bytes);
    }
    const line = this.bytes;
    let { position } = this;
    // A call of `set` takes longer than the few bytes of a name do.
    for (let index = 0; index < bytes.length; index++) line[position++] = bytes[index] as number;
    line[position++] = TAB;
    this.position = position;
  }
}
