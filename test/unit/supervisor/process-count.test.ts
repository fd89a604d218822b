import { processCount, quotaOf } from '../../../src/supervisor/process-count';

describe('--processes', () => {
  it.each([
    ['1', 1],
    ['8', 8],
    ['128', 128],
    ['auto', 6],
  ])('%s is %p', (text, count) => {
    expect(processCount(text, 6)).toBe(count);
  });

  it.each(['', '0', '-1', '1.5', '129', '1e3', 'many', 'AUTO', ' 2', '99999999999'])(
    '%p is refused',
    (text) => {
      expect(processCount(text, 6)).toBeUndefined();
    },
  );

  it('auto is at least one, and no more than there may be', () => {
    expect(processCount('auto', 500)).toBe(128);
    expect(processCount('auto')).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['200000 100000\n', 2],
    ['150000 100000', 2],
    ['50000 100000', 1],
    ['max 100000', 128],
    ['', 128],
  ])('a container with the quota %p has %p processors', (text, count) => {
    expect(quotaOf(text)).toBe(count);
  });
});
