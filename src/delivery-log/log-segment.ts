import { type BatchContents, BatchRecords } from './batch-records';
import { COLUMNS, type Column, type Columns, columnsOf } from './log-columns';
import { RowWriter } from './row-writer';

/** Records that are written together: their lines, and a column of each thing that they are looked for by. */
export class LogSegment {
  private readonly columns: Columns;
  private readonly happenings: Uint8Array<ArrayBuffer>;
  private readonly text: Buffer;
  private readonly writer: RowWriter;

  constructor(contents: BatchContents) {
    this.text = Buffer.allocUnsafe(contents.lineBytes);
    this.columns = columnsOf(contents.rows);
    this.happenings = new Uint8Array(contents.rows);
    this.writer = new RowWriter(this.text, this.columns);
    const records = new BatchRecords(contents);
    for (let row = 0; records.next(); row++) {
      this.happenings[row] = records.marks;
      this.writer.write(row, records);
    }
  }

  get lines(): Buffer {
    return this.text.subarray(0, this.writer.length);
  }

  /** Those of COLUMNS in their order, and what happened. */
  get columnBytes(): readonly Buffer[] {
    return [
      ...COLUMNS.map((name) => Buffer.from(this.columns[name].buffer)),
      Buffer.from(this.happenings.buffer),
    ];
  }

  fingerprints(column: Column): Uint32Array {
    return this.columns[column];
  }
}
