import { table } from '../../../src/cli/table';

describe('a table', () => {
  test('shows a cell of a megabyte whole, and widens no other line by it (kind 2)', () => {
    const huge = 'n'.repeat(1_000_000);
    const rows = Array.from({ length: 2000 }, (_, index) => [`instance-${index}`, 'yes']);
    const text = table(['INSTANCE', 'WEBHOOK'], [[huge, 'yes'], ...rows]);
    expect(text).toContain(huge);
    expect(text.length).toBeLessThan(2_000_000);
  });

  test('has any number of rows (kind 2)', () => {
    const rows = Array.from({ length: 200_000 }, (_, index) => [`id-${index}`]);
    expect(table(['ID'], rows).split('\n')).toHaveLength(200_002);
  });
});
