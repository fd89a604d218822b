import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const RUN = join(__dirname, '../../support/run.mjs');

const namesIn = (file: string, pattern: RegExp): string[] =>
  [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name]) => name ?? '');

/** Files of ours are followed. */
function importsOf(file: string): string[] {
  return namesIn(file, /^import .* from '([^']+)';$/gm).flatMap((name) =>
    name.startsWith('.') ? importsOf(join(dirname(file), name)) : [name],
  );
}

/** What the program loads as it starts; everything else it loads once the dependencies are there. */
function loadedAtOnce(): string[] {
  const own = namesIn(RUN, /createRequire\(import\.meta\.url\)\('([^']+)'\)/g);
  const theirs = own.flatMap((name) => namesIn(join(dirname(RUN), name), /\brequire\('([^']+)'\)/g));
  return [...importsOf(RUN), ...theirs];
}

test('what installs the dependencies on a fresh clone needs none of them', () => {
  const all = loadedAtOnce();
  expect(all.length).toBeGreaterThan(3);
  expect(all.filter((name) => !name.startsWith('node:'))).toEqual([]);
});

test.each([['x'], ['0'], ['-3'], ['']])(
  'the model with --runs %j is refused, before anything is installed or run',
  (runs) => {
    const { status, stderr } = spawnSync(process.execPath, [RUN, 'model', '--runs', runs], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, 'npm run model -- [--runs N]: N must be a whole number from 1\n']);
  },
);
