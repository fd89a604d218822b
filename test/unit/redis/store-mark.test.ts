import { changeOf, type FoundStore, type KnownStore, type StoreChange } from '../../../src/redis/store-mark';

const known: KnownStore = { mark: 'a', beat: 10 };

test.each<[string, KnownStore | undefined, FoundStore, StoreChange]>([
  ['the first look', undefined, { mark: undefined, beat: undefined }, 'none'],
  ['the first look at a known store', undefined, { mark: 'a', beat: undefined }, 'none'],
  ['the same store', known, { mark: 'a', beat: 10 }, 'none'],
  ['a beat whose answer was lost', known, { mark: 'a', beat: 12 }, 'none'],
  ['a replica that missed the last beat', known, { mark: 'a', beat: 9 }, 'none'],
  ['flushed', known, { mark: undefined, beat: undefined }, 'empty'],
  ['flushed, and marked anew by another process', known, { mark: 'b', beat: undefined }, 'another'],
  ['an older copy', known, { mark: 'a', beat: 5 }, 'older'],
  ['a copy from before this process', known, { mark: 'a', beat: undefined }, 'older'],
])('%s (finding 3.11)', (_what, before, found, change) => {
  expect(changeOf(before, found)).toBe(change);
});
