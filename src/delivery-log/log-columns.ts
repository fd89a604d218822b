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
