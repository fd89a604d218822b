import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const RUN = join(__dirname, '../../support/run.mjs');

/** What a file imports or requires, and what those files do. */
function needs(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/(?:\bfrom |\brequire\(|\bimport\(|url\)\()'([^']+)'/g)].map(
    ([, name]) => name ?? '',
  );
  return found.flatMap((name) => (name.startsWith('.') ? needs(join(dirname(file), name)) : [name]));
}

test('what installs the dependencies on a fresh clone needs none of them', () => {
  const all = needs(RUN);
  expect(all.length).toBeGreaterThan(3);
  expect(all.filter((name) => !name.startsWith('node:'))).toEqual([]);
});
