import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const RUN = join(__dirname, '../../support/run.mjs');

/** What a file imports or requires, and what those files do. */
function needs(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/(?:\bfrom |\brequire\(|\bimport\(|url\)\()'([^']+)'/g)].map(
    ([, name]) => name ?? '',
  );
  // TypeScript is loaded once everything is installed.
  const own = found.filter((name) => /^\..*\.[cm]js$/.test(name));
  const others = found.filter((name) => !name.startsWith('.'));
  return [...others, ...own.flatMap((name) => needs(join(dirname(file), name)))];
}

test('what installs the dependencies on a fresh clone needs none of them', () => {
  const all = needs(RUN);
  expect(all.length).toBeGreaterThan(3);
  expect(all.filter((name) => !name.startsWith('node:'))).toEqual([]);
});
