import { filterKey } from '../events/catalogue';
import { chatFingerprint, fingerprint, finished, isAlphanumeric, mixed, OFFSET } from './fingerprint';
import { type KnownName, KnownNames } from './known-names';
import type { Columns } from './log-columns';
import { HAPPENINGS, type LogEntry } from './log-record';
import { decoded, type MessageKey } from './message-key';

const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const ZERO = 0x30;
const COLON = 0x3a;
const AT = 0x40;
const BACKSLASH = 0x5c;
const LAST_ASCII = 0x7f;
/** What `JSON.stringify` makes of one unit of UTF-16 at most: `\\u0000`. */
const MOST_BYTES_EACH = 6;
/** Numbers, tabs and the end of a line. */
const OTHER_BYTES = 128;

const names = new KnownNames();
const events = new KnownNames(filterKey);

/** More than a line of the record takes, in bytes. */
export function roomFor(entry: LogEntry, key: MessageKey): number {
  const { id, destination, instance, event, code, answer } = entry;
  const texts = id.length + destination.length + instance.length + event.length + code.length + answer.length;
  return OTHER_BYTES + MOST_BYTES_EACH * (texts + key.bytes);
}

/**
 * Writes rows: a line of the record (`recordOf` reads it) and, in columns, by what it is found. Byte by byte, each text in one pass:
 * to join a line's fields as text costs three times as much, and each delivery pays for it.
 */
export class RowWriter {
  private position = 0;
  private lastAt = -1;
  private atText = '';

  constructor(
    private readonly bytes: Buffer,
    private readonly columns: Columns,
  ) {}

  /** Of all lines. */
  get length(): number {
    return this.position;
  }

  clear(): void {
    this.position = 0;
  }

  /** There must be `roomFor` it. */
  write(row: number, entry: LogEntry, key: MessageKey): void {
    const { columns } = this;
    const { text, messageStart, messageEnd, chatStart, chatEnd, aliasStart, aliasEnd } = key;
    columns.at[row] = Math.floor(entry.at / 1000);
    this.number(HAPPENINGS.indexOf(entry.what));
    this.text(this.timeOf(entry.at));
    this.number(entry.attempt);
    this.number(entry.durationMs);
    this.number(entry.status);
    this.number(entry.bytes);
    columns.delivery[row] = this.text(entry.id);
    columns.destination[row] = this.known(names.get(entry.destination));
    columns.instance[row] = this.known(names.get(entry.instance));
    columns.event[row] = this.known(events.get(entry.event));
    columns.message[row] = this.message(text, messageStart, messageEnd);
    columns.chat[row] = this.chat(text, chatStart, chatEnd);
    columns.alias[row] = this.chat(text, aliasStart, aliasEnd);
    this.text(entry.code);
    this.text(entry.answer);
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

  /** Answers with its fingerprint, as those below do. */
  private text(text: string): number {
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH)
        return this.escaped(text);
      bytes[position++] = code;
      hash = mixed(hash, code);
    }
    bytes[position++] = TAB;
    this.position = position;
    return text === '' ? 0 : finished(hash);
  }

  private escaped(text: string): number {
    this.position += this.bytes.write(JSON.stringify(text).slice(1, -1), this.position);
    this.bytes[this.position++] = TAB;
    return fingerprint(text);
  }

  private message(text: Buffer, start: number, end: number): number {
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    for (let index = start; index < end; index++) {
      const byte = text[index] as number;
      if (byte === BACKSLASH || byte > LAST_ASCII) return this.text(decoded(text, start, end));
      bytes[position++] = byte;
      hash = mixed(hash, byte);
    }
    bytes[position++] = TAB;
    this.position = position;
    return start === end ? 0 : finished(hash);
  }

  /** By its user alone (`chatFingerprint`). */
  private chat(text: Buffer, start: number, end: number): number {
    const { bytes } = this;
    let { position } = this;
    let hash = OFFSET;
    let isUser = true;
    for (let index = start; index < end; index++) {
      const byte = text[index] as number;
      if (byte === BACKSLASH || byte > LAST_ASCII) return this.decodedChat(text, start, end);
      bytes[position++] = byte;
      if (byte === AT || byte === COLON) isUser = false;
      else if (isUser && isAlphanumeric(byte)) hash = mixed(hash, byte);
    }
    bytes[position++] = TAB;
    this.position = position;
    return hash === OFFSET ? 0 : finished(hash);
  }

  private decodedChat(text: Buffer, start: number, end: number): number {
    const chat = decoded(text, start, end);
    this.text(chat);
    return chatFingerprint(chat);
  }

  private known({ bytes, print }: KnownName): number {
    const line = this.bytes;
    let { position } = this;
    // A call of `set` takes longer than the few bytes of a name do.
    for (let index = 0; index < bytes.length; index++) line[position++] = bytes[index] as number;
    line[position++] = TAB;
    this.position = position;
    return print;
  }
}
