import { mergedRows, type TimedRows } from '../../../src/delivery-log/merged-rows';

interface Chunk extends TimedRows {
  readonly name: string;
}

/** Rows of a chunk, the newest first, whose times are given the oldest first. */
const chunk = (name: string, times: readonly number[]): Chunk => ({
  name,
  rows: times.map((_, row) => times.length - 1 - row),
  times: [...times].reverse(),
});
const read = (batches: Iterable<readonly Chunk[]>): string[] =>
  [...batches].flat().flatMap(({ name, rows }) => rows.map((row) => `${name}${row}`));

test('rows of several chunks come by their time, the newest first, each once', () => {
  const hits = [chunk('a', [1, 4, 9]), chunk('b', [2, 3, 5, 8]), chunk('c', [7])];
  expect(read(mergedRows(hits, 16, 256))).toEqual(['a2', 'b3', 'c0', 'b2', 'a1', 'b1', 'b0', 'a0']);
});

test('a chunk that ends before another one begins stays in one piece', () => {
  const batches = [...mergedRows([chunk('b', [5, 6]), chunk('a', [1, 2])], 16, 256)];
  expect(batches).toEqual([[chunk('b', [5, 6]), chunk('a', [1, 2])]]);
});

test('a batch is of so many chunks at the most, and begins no further run once it has so many rows', () => {
  const apart = [chunk('c', [3]), chunk('b', [2]), chunk('a', [1])];
  expect([...mergedRows(apart, 2, 256)].map((batch) => batch.length)).toEqual([2, 1]);
  expect([...mergedRows(apart, 16, 1)].map((batch) => batch.length)).toEqual([1, 1, 1]);
});

test('random chunks keep the order, with nothing lost and nothing twice', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % below;
  };
  for (let round = 0; round < 50; round++) {
    const hits = Array.from({ length: 1 + random(9) }, (_, place) =>
      chunk(
        `${place}-`,
        Array.from({ length: 1 + random(20) }, () => random(50)).sort((a, b) => a - b),
      ),
    );
    const times = [...mergedRows(hits, 3, 8)].flat().flatMap((each) => each.times);
    expect(times).toEqual(hits.flatMap((each) => each.times).sort((a, b) => b - a));
    expect(new Set(read(mergedRows(hits, 3, 8))).size).toBe(times.length);
  }
});
