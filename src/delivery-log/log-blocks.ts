import { Slices } from '../time/slices';
import type { LogRecord } from './log-record';
import { packedRows, type StoredRows } from './packed-rows';
import { releasedRows } from './released-rows';
import { BLOCK_LENGTH_BYTES, PACKED } from './row-format';

/** The rows of all blocks of a chunk: its column `lines`. What cannot be read ends them: somebody wrote over it. */
export async function storedRows(blocks: Buffer): Promise<StoredRows> {
  const found = new ManyRows();
  // Where little happens a chunk has hundreds of blocks.
  const slices = new Slices();
  for (let start = 0; start + BLOCK_LENGTH_BYTES <= blocks.length; ) {
    const length = blocks.readUInt32LE(start);
    const isPacked = length >= PACKED;
    const end = start + BLOCK_LENGTH_BYTES + (isPacked ? length - PACKED : length);
    const rows = isPacked
      ? packedRows(blocks.subarray(start, end))
      : await releasedRows(blocks.subarray(start + BLOCK_LENGTH_BYTES, end));
    if (rows === undefined) break;
    found.add(rows);
    start = end;
    await slices.pause();
  }
  return found;
}

class ManyRows implements StoredRows {
  private readonly parts: { readonly from: number; readonly rows: StoredRows }[] = [];
  count = 0;

  add(rows: StoredRows): void {
    this.parts.push({ from: this.count, rows });
    this.count += rows.count;
  }

  at(row: number): LogRecord | undefined {
    const { parts } = this;
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((parts[middle]?.from ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    const part = parts[low];
    return part?.rows.at(row - part.from);
  }
}
