import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '../../..');
const TEST = join(ROOT, 'test');
/** A constant that names a folder from here. */
const FOLDER = /const (\w+) = join\(__dirname, '([^']+)'\)/g;
/** A program within such a folder, or one that the benchmark knows by its own ways. */
const STARTED = /(?:join\((\w+), |Child\.(path|script)\()'([^']+\.(?:ts|cjs|mjs))'/g;

interface Started {
  readonly by: string;
  readonly file: string;
}

function startedIn(file: string): Started[] {
  const code = readFileSync(file, 'utf8');
  const here = dirname(file);
  const folders = new Map([['__dirname', here]]);
  for (const [, name = '', path = ''] of code.matchAll(FOLDER)) folders.set(name, join(here, path));
  return [...code.matchAll(STARTED)].flatMap(([, name, how, path = '']) => {
    const folder = how === undefined ? folders.get(name ?? '') : how === 'path' ? ROOT : join(TEST, 'bench');
    return folder === undefined
      ? []
      : [{ by: relative(ROOT, file), file: relative(ROOT, join(folder, path)) }];
  });
}

test('a file that a test or a benchmark starts by its name is there: neither types nor imports notice that it was moved', () => {
  const files = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.ts'))
    // These name files that there are not.
    .filter((each) => !each.startsWith(join('unit', 'house')));
  const started = files.flatMap((each) => startedIn(join(TEST, each)));
  expect(started.length).toBeGreaterThan(20);
  expect(started.filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
});
