import { filterKey } from '../events/catalogue';
import { type KnownName, KnownNames } from './known-names';
import type { Columns } from './log-columns';
import { HAPPENINGS, type LogEntry } from './log-record';
import type { MessageKey } from './message-key';
import { PackedBytes } from './packed-bytes';
import { BLOCK_LENGTH_BYTES, COMMON_NAMES, HEAD_BYTES, PACKED, ROW_LENGTH_BYTES } from './row-format';

/** What `JSON.stringify` makes of one unit of UTF-16 at most: `\\u0000`. */
const MOST_BYTES_EACH = 6;
/** Numbers, lengths and places of one row. */
const OTHER_BYTES = 128;

const names = new KnownNames();
const events = new KnownNames(filterKey);

/** More than a row of the record takes in its block, in bytes. */
export function roomFor(entry: LogEntry, key: MessageKey): number {
  const { id, destination, instance, event, code, answer } = entry;
  const texts = id.length + destination.length + instance.length + event.length + code.length + answer.length;
  return OTHER_BYTES + MOST_BYTES_EACH * (texts + key.bytes);
}

/** Of all writers: a name knows its place in one block. */
let blocks = 0;

/**
 * Writes blocks of rows (row-format.ts; `PackedRows` reads them) and, in columns, by what each row is found. Ids, messages and
 * chats take four or six bits a character, and a name is written once for all rows of a block: that is as small as DEFLATE made of it,
 * which took a quarter of all that the log costs.
 */
export class RowWriter {
  private readonly rows: PackedBytes;
  private count = 0;
  private firstAt = 0;
  private block = ++blocks;
  private used: KnownName[] = [];
  private usedBytes = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly columns: Columns,
  ) {
    this.rows = new PackedBytes(bytes);
    this.clear();
  }

  /** Of the block, in bytes. */
  get length(): number {
    return this.rows.position + this.usedBytes;
  }

  /** There must be `roomFor` it, beside what HEAD_BYTES take. */
  write(entry: LogEntry, key: MessageKey): void {
    const { columns, rows, bytes } = this;
    const { text, messageStart, messageEnd, chatStart, chatEnd, aliasStart, aliasEnd } = key;
    const row = this.count++;
    const start = rows.position;
    const at = Math.floor(entry.at);
    if (row === 0) this.firstAt = at;
    rows.position = start + ROW_LENGTH_BYTES;
    rows.number(HAPPENINGS.indexOf(entry.what));
    rows.signed(at - this.firstAt);
    rows.number(entry.attempt);
    rows.number(entry.durationMs);
    rows.number(entry.status);
    rows.number(entry.bytes);
    columns.at[row] = Math.floor(at / 1000);
    columns.delivery[row] = rows.id(entry.id);
    columns.destination[row] = this.name(names.get(entry.destination));
    columns.instance[row] = this.name(names.get(entry.instance));
    columns.event[row] = this.name(events.get(entry.event));
    columns.message[row] = rows.message(text, messageStart, messageEnd);
    columns.chat[row] = rows.chat(text, chatStart, chatEnd);
    columns.alias[row] = rows.chat(text, aliasStart, aliasEnd);
    this.name(names.get(entry.code));
    rows.text(entry.answer);
    const length = rows.position - start - ROW_LENGTH_BYTES;
    bytes[start] = length & 0xff;
    bytes[start + 1] = length >>> 8;
  }

  /** All that was written, where it lies: until `clear`, nothing more is written. */
  finish(): Buffer {
    const { used, rows, bytes, count } = this;
    bytes.writeUInt32LE(this.length - BLOCK_LENGTH_BYTES + PACKED, 0);
    bytes.writeUInt32LE(rows.position - HEAD_BYTES, 4);
    bytes.writeUIntLE(this.firstAt, 8, 6);
    bytes.writeUInt16LE(count, 14);
    bytes.writeUInt16LE(used.length, 16);
    for (const name of used) {
      rows.number(name.bytes.length);
      rows.position += name.bytes.copy(bytes, rows.position);
    }
    return bytes.subarray(0, rows.position);
  }

  clear(): void {
    this.rows.position = HEAD_BYTES;
    this.count = this.usedBytes = 0;
    this.used = [];
    this.block = ++blocks;
  }

  private name(name: KnownName): number {
    if (name.block !== this.block && !name.isCommon) this.use(name);
    this.rows.number(name.place);
    return name.print;
  }

  private use(name: KnownName): void {
    const { length } = name.bytes;
    name.block = this.block;
    name.place = COMMON_NAMES.length + this.used.length;
    this.used.push(name);
    this.usedBytes += length + (length > 0x3fff ? 3 : length > 0x7f ? 2 : 1);
  }
}
