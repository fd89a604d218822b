import { COLUMNS, type Column, columnsOf } from './log-columns';
import { HAPPENINGS, type LogEntry } from './log-record';
import type { MessageKey } from './message-key';
import { RowWriter, roomFor } from './row-writer';

/** Rows of one segment, and about of one chunk. */
export const SEGMENT_ROWS = 1024;
/** No segment and no chunk has records of more time, so that chunks can be chosen by their first record. */
export const CHUNK_MS = 3_600_000;
/** As much as Redis keeps in 64 KB, what it puts before it included: a little more takes 80. Rows of plain successes fill it together with SEGMENT_ROWS. */
const BLOCK_BYTES = 65_500;

/** In the column of what happened, beside its place among HAPPENINGS. */
export const WHAT_MASK = 0x0f;
/** Nothing older was logged of this delivery. */
export const FIRST = 0x10;
/** The body is kept. */
export const WITH_BODY = 0x20;

export interface NewRecord {
  readonly entry: LogEntry;
  readonly key: MessageKey;
  readonly isFirst: boolean;
  /** Kept under the event's id. */
  readonly body: { readonly event: string; readonly bytes: Buffer } | undefined;
}

/** Records that are written together: a block of rows, and a column of each thing that they are looked for by. */
export class LogSegment {
  private readonly columns = columnsOf(SEGMENT_ROWS);
  private readonly happenings = new Uint8Array(SEGMENT_ROWS);
  private readonly writer = new RowWriter(Buffer.allocUnsafe(BLOCK_BYTES), this.columns);
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
  add({ entry, key, isFirst, body }: NewRecord): boolean {
    if (this.count === SEGMENT_ROWS || !this.isNear(entry.at)) return false;
    if (this.writer.length + roomFor(entry, key) > BLOCK_BYTES) return false;
    const row = this.count++;
    this.writer.write(entry, key);
    this.happenings[row] =
      HAPPENINGS.indexOf(entry.what) | (isFirst ? FIRST : 0) | (body === undefined ? 0 : WITH_BODY);
    if (row === 0) this.first = this.last = entry.at;
    else this.noteTime(entry.at);
    if (body !== undefined && !this.bodies.has(body.event)) {
      this.bodies.set(body.event, body.bytes);
      this.held += body.bytes.length;
    }
    return true;
  }

  /** It lies in the segment: nothing is added until `clear`. */
  block(): Buffer {
    return this.writer.finish();
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
    this.writer.clear();
    this.count = this.held = 0;
    this.bodies.clear();
  }

  /** While Redis is away a segment fills for hours. */
  private isNear(at: number): boolean {
    return this.count === 0 || Math.max(this.last, at) - Math.min(this.first, at) < CHUNK_MS;
  }

  private noteTime(at: number): void {
    if (at < this.first) this.first = at;
    if (at > this.last) this.last = at;
  }
}
