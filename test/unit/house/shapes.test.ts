import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const MAX_FUNCTION_LINES = 64;
/** More than in src, where a file has one reason to change: a suite is one list of rules. */
const MAX_TEST_LINES = 340;
/** A function or a method that begins a block; biome has formatted it, so that the block ends at the same column. */
const BEGIN =
  /^( *)(?:(?:export )?(?:async )?function\*? \w+.*[({]|(?:(?:private|protected|static|override|async) )+\*?\w+\(.*[({]|(?!(?:if|for|while|switch|return|super)\b)\w+\([^;]*\{)$/;

function filesOf(folder: string): [file: string, text: string][] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')]);
}

interface Measured {
  readonly line: number;
  readonly lines: number;
}

function functionsOf(text: string): Measured[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, indent] = BEGIN.exec(line) ?? [];
    if (indent === undefined) return [];
    const length = lines.slice(index).indexOf(`${indent}}`);
    return length < 0 ? [] : [{ line: index + 1, lines: length + 1 }];
  });
}

const sources = filesOf('src');

describe('functions of src', () => {
  const all = sources.flatMap(([file, text]) =>
    functionsOf(text).map(({ line, lines }) => ({ at: `${file}:${line}`, lines })),
  );

  test('are found', () => expect(all.length).toBeGreaterThan(2000));

  test(`have at most ${MAX_FUNCTION_LINES} lines: what is longer is made of parts that have names`, () => {
    const long = all.filter(({ lines }) => lines > MAX_FUNCTION_LINES);
    expect(long.map(({ at, lines }) => `${at} has ${lines}`)).toEqual([]);
  });
});

test('no class of src has a boolean that others may set: it is a state, which has one setter', () => {
  const settable = sources.flatMap(([file, text]) =>
    [...text.matchAll(/^ {2}(\w+)(?:: boolean| = (?:true|false));$/gm)]
      .filter(({ index }) => isInClass(text.slice(0, index)))
      .map(([, name]) => `${name} of ${file}`),
  );
  expect(settable).toEqual([]);
});

test('no object literal has a getter: V8 keeps it, and all that it sees, until the next full collection; a class has it once', () => {
  const getters = sources.flatMap(([file, text]) =>
    [...text.matchAll(/^ {3,}get (\w+)\(\)/gm)].map(([, name]) => `${name} of ${file}`),
  );
  // Made once for each process.
  expect(getters).toEqual(['readiness of src/cli/serve.ts']);
});

/** Whether the last block that began at the margin is a class. */
function isInClass(before: string): boolean {
  return /^.*\bclass\b/.test(before.match(/^\S.*\{$/gm)?.at(-1) ?? '');
}

test(`files of tests have at most ${MAX_TEST_LINES} lines`, () => {
  const long = filesOf('test').map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }));
  expect(long.filter(({ lines }) => lines > MAX_TEST_LINES)).toEqual([]);
});

test.each([
  ['function a() {\n  b();\n}', 3],
  ['export async function a(b: string): Promise<void> {\n}', 2],
  ['function a(\n  b: string,\n): void {\n  c();\n}', 5],
  ['class A {\n  private async b(): Promise<void> {\n    if (c) {\n    }\n  }\n}', 4],
])('a function is measured: %j', (text, lines) => {
  expect(functionsOf(text).map((each) => each.lines)).toEqual([lines]);
});
