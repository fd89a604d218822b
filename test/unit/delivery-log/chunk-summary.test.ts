import { bitsOf, ChunkSummary, summaryOf } from '../../../src/delivery-log/chunk-summary';
import { fingerprint } from '../../../src/delivery-log/fingerprint';
import type { Column } from '../../../src/delivery-log/log-columns';
import { SEGMENT_ROWS } from '../../../src/delivery-log/log-segment';

const printsOf = (kind: string, first: number, count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, row) => fingerprint(`${kind}-${first + row}`));
const NONE = new Uint32Array(SEGMENT_ROWS);

const rows = (first: number, count: number) => ({
  rows: count,
  fingerprints: (column: Column): Uint32Array =>
    column === 'alias' ? NONE.subarray(0, count) : printsOf(column, first, count),
});
const holds = (summary: ChunkSummary, column: Column, value: number): boolean => {
  const fields = summary.fields();
  const bytes = fields[fields.indexOf(summaryOf([column])) + 1] as Buffer;
  return bitsOf(value).every((bit) => ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0);
};

describe('what a chunk says of what it holds', () => {
  test('leaves out nothing that was added, at once or later, nor that there is no such value', () => {
    const summary = new ChunkSummary();
    summary.add(rows(0, 300));
    summary.add(rows(300, SEGMENT_ROWS - 300));
    for (const column of ['delivery', 'message', 'chat'] as const)
      for (const value of printsOf(column, 0, SEGMENT_ROWS)) expect(holds(summary, column, value)).toBe(true);
    expect(holds(summary, 'chat', 0)).toBe(true);
  });

  test('a full one holds few by chance', () => {
    const summary = new ChunkSummary();
    summary.add(rows(0, SEGMENT_ROWS));
    const others = printsOf('message', 10_000, 10_000);
    const byChance = others.filter((value) => holds(summary, 'message', value)).length;
    expect(byChance / others.length).toBeLessThan(0.05);
  });

  test('is not there where its columns are as short', () => {
    const summary = new ChunkSummary();
    summary.add(rows(0, 100));
    expect(summary.fields()).toEqual([]);
    expect([summaryOf(['chat', 'alias']), summaryOf(['instance'])]).toEqual(['summary:chat', '']);
  });
});
