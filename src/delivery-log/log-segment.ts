import { filterKey } from '../events/catalogue';
import { chatFingerprint, fingerprint, knownFingerprint } from './fingerprint';
import { LineWriter, roomFor } from './line-writer';
import { HAPPENINGS, type LogRecord } from './log-record';

/** Columns of four bytes a row, by which records are found without being read. */
export const COLUMNS = [
  'delivery',
  'message',
  'chat',
  'alias',
  'instance',
  'event',
  'destination',
  'at',
] as const;
export type Column = (typeof COLUMNS)[number];

/** Rows of one segment, and about of one chunk. */
export const SEGMENT_ROWS = 512;
/** No segment and no chunk has records of more time, so that chunks can be chosen by their first record. */
export const CHUNK_MS = 3_600_000;
const TEXT_BYTES = 192 * 1024;

/** In the column of what happened, beside its place among HAPPENINGS. */
export const WHAT_MASK = 0x0f;
/** Nothing older was logged of this delivery. */
export const FIRST = 0x10;
/** The body is kept. */
export const WITH_BODY = 0x20;

export interface NewRecord {
  readonly record: LogRecord;
  readonly isFirst: boolean;
  /** Kept under the event's id. */
  readonly body: { readonly event: string; readonly bytes: Buffer } | undefined;
}

/** Records that are written together: their lines, and a column of each thing that they are looked for by. */
export class LogSegment {
  private readonly text = Buffer.allocUnsafe(TEXT_BYTES);
  private readonly columns: Readonly<Record<Column, Uint32Array<ArrayBuffer>>> = {
    delivery: column(),
    message: column(),
    chat: column(),
    alias: column(),
    instance: column(),
    event: column(),
    destination: column(),
    at: column(),
  };
  private readonly happenings = new Uint8Array(SEGMENT_ROWS);
  private readonly line = new LineWriter(this.text);
  private count = 0;
  private held = 0;
  private first = 0;
  private last = 0;
  readonly bodies = new Map<string, Buffer>();

  get rows(): number {
    return this.count;
  }

  get bodyBytes(): number {
    return this.held;
  }

  /** Times of the first and of the last record. */
  get from(): number {
    return this.first;
  }

  get to(): number {
    return this.last;
  }

  /** False where it has no room for the record, or where the record is too far from the others. */
  add({ record, isFirst, body }: NewRecord): boolean {
    if (this.count === SEGMENT_ROWS || this.line.length + roomFor(record) > TEXT_BYTES) return false;
    if (!this.isNear(record.at)) return false;
    this.line.write(record);
    const row = this.count++;
    this.index(row, record);
    this.happenings[row] =
      HAPPENINGS.indexOf(record.what) | (isFirst ? FIRST : 0) | (body === undefined ? 0 : WITH_BODY);
    if (row === 0) this.first = this.last = record.at;
    else this.noteTime(record.at);
    if (body !== undefined && !this.bodies.has(body.event)) {
      this.bodies.set(body.event, body.bytes);
      this.held += body.bytes.length;
    }
    return true;
  }

  lines(): Buffer {
    return this.text.subarray(0, this.line.length);
  }

  /** Name and bytes of each column. */
  columnBytes(): (string | Buffer)[] {
    const numbers = COLUMNS.flatMap((name) => [
      name,
      Buffer.from(this.columns[name].buffer, 0, this.count * 4),
    ]);
    return [...numbers, 'what', Buffer.from(this.happenings.buffer, 0, this.count)];
  }

  fingerprints(column: Column): Uint32Array {
    return this.columns[column].subarray(0, this.count);
  }

  /** Empty again: the memory is used for the next records. */
  clear(): void {
    this.line.clear();
    this.count = this.held = 0;
    this.bodies.clear();
  }

  /** While Redis is away a segment fills for hours. */
  private isNear(at: number): boolean {
    return this.count === 0 || Math.max(this.last, at) - Math.min(this.first, at) < CHUNK_MS;
  }

  private index(row: number, record: LogRecord): void {
    const { columns } = this;
    columns.delivery[row] = fingerprint(record.id);
    columns.message[row] = fingerprint(record.message);
    columns.chat[row] = chatFingerprint(record.chat);
    columns.alias[row] = chatFingerprint(record.alias);
    columns.instance[row] = knownFingerprint(record.instance);
    columns.event[row] = knownFingerprint(filterKey(record.event));
    columns.destination[row] = knownFingerprint(record.destination);
    columns.at[row] = Math.floor(record.at / 1000);
  }

  private noteTime(at: number): void {
    if (at < this.first) this.first = at;
    if (at > this.last) this.last = at;
  }
}

function column(): Uint32Array<ArrayBuffer> {
  return new Uint32Array(SEGMENT_ROWS);
}
