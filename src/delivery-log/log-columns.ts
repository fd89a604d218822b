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
export type Columns = Readonly<Record<Column, Uint32Array<ArrayBuffer>>>;

/** Rows of one segment, and about of one chunk. */
export const SEGMENT_ROWS = 512;
/** No segment and no chunk has records of more time, so that chunks can be chosen by their first record. */
export const CHUNK_MS = 3_600_000;

/** In the column of what happened, beside its place among HAPPENINGS. */
export const WHAT_MASK = 0x0f;
/** Nothing older was logged of this delivery. */
export const FIRST = 0x10;
/** The body is kept. */
export const WITH_BODY = 0x20;

export function columnsOf(rows: number): Columns {
  const column = (): Uint32Array<ArrayBuffer> => new Uint32Array(rows);
  return {
    delivery: column(),
    message: column(),
    chat: column(),
    alias: column(),
    instance: column(),
    event: column(),
    destination: column(),
    at: column(),
  };
}
