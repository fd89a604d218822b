import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const VALUE = /^export (?:abstract )?(?:async )?(?:function\*?|class|const|enum) ([A-Za-z_]\w*)/gm;

/** Texts by their files. */
const texts = new Map(
  ['src', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs|cjs)$/.test(name))
      .map((name): [string, string] => [join(folder, name), readFileSync(join(ROOT, folder, name), 'utf8')]),
  ),
);
const users = new Map<string, Set<string>>();
for (const [file, text] of texts)
  for (const [word] of text.matchAll(/[A-Za-z_]\w*/g))
    users.set(word, (users.get(word) ?? new Set()).add(file));

test('a function, class or constant is exported only where another file uses it', () => {
  const needless = [...texts]
    .filter(([file]) => file.endsWith('.ts'))
    .flatMap(([file, text]) =>
      [...text.matchAll(VALUE)]
        .map(([, name = '']) => name)
        .filter((name) => users.get(name)?.size === 1)
        .map((name) => `${name} of ${file}`),
    );
  expect(needless).toEqual([]);
});
