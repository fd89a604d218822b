import type { Field } from './log-store';

const NOTHING = Buffer.alloc(0);

/** One column of the chunk that is looked at; its memory is used again for the next chunk, as a search goes through thousands. */
class ColumnView {
  private numbers = new Uint32Array(1024);
  private count = 0;

  load(bytes: Buffer): void {
    this.count = bytes.length >> 2;
    if (this.count > this.numbers.length) this.numbers = new Uint32Array(this.count);
    // What Redis answers need not lie at a place that is a multiple of four.
    bytes.copy(new Uint8Array(this.numbers.buffer), 0, 0, this.count * 4);
  }

  at(row: number): number {
    return row < this.count ? (this.numbers[row] as number) : 0;
  }

  /** Marks the rows of this value. */
  mark(value: number, marks: Uint8Array): void {
    const { numbers, count } = this;
    const end = Math.min(count, marks.length);
    for (let row = 0; row < end; row++) if (numbers[row] === value) marks[row] = 1;
  }
}

const NO_COLUMN = new ColumnView();

/** The columns of one chunk after the other, as a search asks for them; valid until the next `load`. */
export class ChunkView {
  private readonly columns: ReadonlyMap<Field, ColumnView>;
  happenings: Buffer = NOTHING;

  /** @param names the first is `what`, which says how many rows there are */
  constructor(private readonly names: readonly Field[]) {
    this.columns = new Map(names.slice(1).map((name) => [name, new ColumnView()]));
  }

  get rows(): number {
    return this.happenings.length;
  }

  load(values: readonly Buffer[]): void {
    this.happenings = values[0] ?? NOTHING;
    for (const [index, name] of this.names.entries()) this.columns.get(name)?.load(values[index] ?? NOTHING);
  }

  /** 0 where the column was not asked for. */
  at(name: Field, row: number): number {
    return this.column(name).at(row);
  }

  /** For many rows; all of them 0 where it was not asked for. */
  column(name: Field): ColumnView {
    return this.columns.get(name) ?? NO_COLUMN;
  }

  /** Rows that have one of these values in one of the columns, the newest first; of those given, where some are. */
  rowsOf(names: readonly Field[], values: readonly number[], among?: readonly number[]): number[] {
    const columns = names.map((name) => this.column(name));
    if (among !== undefined)
      return among.filter((row) => columns.some((column) => values.includes(column.at(row))));
    const marks = new Uint8Array(this.rows);
    for (const column of columns) for (const value of values) column.mark(value, marks);
    const rows: number[] = [];
    for (let row = marks.lastIndexOf(1); row !== -1; row = row === 0 ? -1 : marks.lastIndexOf(1, row - 1))
      rows.push(row);
    return rows;
  }

  /** All of them, the newest first. */
  allRows(): number[] {
    return Array.from({ length: this.rows }, (_, index) => this.rows - 1 - index);
  }
}
