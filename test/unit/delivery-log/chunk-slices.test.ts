import { NEWEST_FIRST, slicesOf } from '../../../src/delivery-log/chunk-slices';
import { AT_ONCE, type HeldChunk } from '../../../src/delivery-log/log-store';
import { StoreUnavailableError } from '../../../src/errors';
import { eventually } from '../../support/signals/signals';

const CHUNKS = Array.from({ length: 3 * AT_ONCE + 10 }, (_, place) => `${(9000 - place).toString(36)}-w`);

/** Answers at once with every chunk of a slice that is among those that hold it. */
class FakeStore {
  asked = 0;
  failsAfter = Number.POSITIVE_INFINITY;

  constructor(private readonly held: ReadonlySet<string>) {}

  async chunks(): Promise<string[]> {
    return [...CHUNKS];
  }

  async holding(chunks: readonly string[]): Promise<readonly HeldChunk[]> {
    if (++this.asked > this.failsAfter) throw new StoreUnavailableError('Redis is away');
    return chunks.filter((chunk) => this.held.has(chunk)).map((chunk) => ({ chunk, columns: [] }));
  }
}

const begin = (store: FakeStore, order = NEWEST_FIRST) =>
  slicesOf(store, { filter: {}, wanted: { clues: [], unusual: false }, names: [], order });
const read = async (slices: AsyncIterable<readonly HeldChunk[]>): Promise<string[]> => {
  const all: string[] = [];
  for await (const slice of slices) all.push(...slice.map(({ chunk }) => chunk));
  return all;
};
const few = new Set(CHUNKS.filter((_, place) => place % 50 === 0));

describe('slices of the log', () => {
  test('hold each chunk once, in the order asked for, from where it shall begin', async () => {
    expect(await read(begin(new FakeStore(new Set(CHUNKS))))).toEqual(CHUNKS);
    expect(await read(begin(new FakeStore(few)))).toEqual([...few]);
    const oldestFirst = [...CHUNKS].reverse();
    const from = oldestFirst[AT_ONCE + 50] ?? '';
    const store = new FakeStore(new Set(CHUNKS));
    expect(await read(begin(store, { oldestFirst: true, from }))).toEqual(oldestFirst.slice(AT_ONCE + 50));
  });

  test('are looked through ahead while what was found is worked on, one and no more', async () => {
    const store = new FakeStore(few);
    const slices = begin(store);
    await slices.next();
    await eventually(() => store.asked === 2 || undefined, 'the next slice');
    await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toBe(2);
    await slices.return(undefined);
  });

  test('are not looked through ahead where most chunks hold it, as the search is about to end', async () => {
    const store = new FakeStore(new Set(CHUNKS));
    const slices = begin(store);
    await slices.next();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(store.asked).toBe(1);
    await slices.return(undefined);
  });

  test('that fail end the search, and nothing else where it ended before', async () => {
    const store = new FakeStore(few);
    store.failsAfter = 1;
    const ended = begin(store);
    await ended.next();
    await eventually(() => store.asked === 2 || undefined, 'the next slice');
    await ended.return(undefined);
    const failing = new FakeStore(few);
    failing.failsAfter = 1;
    await expect(read(begin(failing))).rejects.toThrow(StoreUnavailableError);
  });
});
