import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constructorsOf } from './constructors';

const SRC = join(__dirname, '../../../src');
const MAX_LINES = 30;
const MAX_PARAMETERS = 3;

const all = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) =>
    constructorsOf(readFileSync(join(SRC, file), 'utf8')).map((each) => ({
      ...each,
      at: `${file}:${each.line}`,
    })),
  );

describe('the constructors of src', () => {
  test('are found', () => expect(all.length).toBeGreaterThan(100));

  test(`have at most ${MAX_LINES} lines`, () => {
    const long = all.filter(({ lines }) => lines > MAX_LINES);
    expect(long.map(({ at, lines }) => `${at} has ${lines}`)).toEqual([]);
  });

  test(`have at most ${MAX_PARAMETERS} parameters by position; more belong into one object with names`, () => {
    const many = all.filter(({ parameters }) => parameters > MAX_PARAMETERS);
    expect(many.map(({ at, parameters }) => `${at} has ${parameters}`)).toEqual([]);
  });
});

test.each([
  ['constructor() {}', 0, 1],
  ['constructor(private readonly a: string) {}', 1, 1],
  ['constructor(a: string, b: Map<string, [number, number]>, c = [1, 2],) {\n}', 3, 2],
  ['constructor(a: (x: number, y: number) => void, /* b, c, */ d = "e, f") {\n// }\n}', 2, 3],
  ['constructor(\n  {\n    a,\n    b,\n  }: Options,\n) {\n  this.x = ")";\n}', 1, 8],
])('a constructor is measured: %j', (text, parameters, lines) => {
  expect(constructorsOf(`class A {\n  ${text}\n}`)).toEqual([{ line: 2, lines, parameters }]);
});

test('a constructor without a body is no place for either', () => {
  expect(constructorsOf('declare class A {\n  constructor(a: 1, b: 2, c: 3, d: 4);\n}')).toEqual([]);
});
