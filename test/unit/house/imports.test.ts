import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ROOMS } from './rooms';

const SRC = join(__dirname, '../../../src');
const MAX_LINES = 300;
/** Static and dynamic imports, re-exports and `require`, of what lies in the project. */
const IMPORT = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(sep).join('/'));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(IMPORT)].map(([, path = '']) => ({
    file,
    from: roomOf(file),
    to: roomOf(targetOf(file, path)),
  }));
}

function targetOf(file: string, path: string): string {
  const target = join(SRC, dirname(file), path).replace(/\.(js|ts)$/, '');
  if (!existsSync(`${target}.ts`)) throw new Error(`${file} imports ${path}, which is not there`);
  return `${relative(SRC, target).split(sep).join('/')}.ts`;
}

/** `destinations/pusher/oversize/stub.ts` → `destinations/pusher`, `events/body.ts` → `events`, `main.ts` → `main`. */
function roomOf(file: string): string {
  const [first = '', second = '', third] = file.split('/');
  if (second === '') return first.replace(/\.ts$/, '');
  const hasRooms = first === 'destinations' || first === 'sources';
  return hasRooms && third !== undefined ? `${first}/${second}` : first;
}

function duplicatesOf(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

/** A way through the table that comes back to where it began. */
function cycleFrom(room: string, way: readonly string[] = []): readonly string[] | undefined {
  if (way.includes(room)) return [...way.slice(way.indexOf(room)), room];
  for (const next of ROOMS[room] ?? []) {
    const cycle = cycleFrom(next, [...way, room]);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('the rooms of src', () => {
  it('are all listed, and nothing is listed that is not there', () => {
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(ROOMS).sort());
  });

  it('import only what the table lets them', () => {
    const refused = imports
      .filter(({ from, to }) => from !== to && ROOMS[from]?.includes(to) !== true)
      .map(({ file, to }) => `${file} imports ${to}`);
    expect([...new Set(refused)]).toEqual([]);
  });

  it('are let import nothing that they do not import', () => {
    const used = new Set(imports.map(({ from, to }) => `${from} imports ${to}`));
    const listed = Object.entries(ROOMS).flatMap(([from, all]) => all.map((to) => `${from} imports ${to}`));
    expect(listed.filter((each) => !used.has(each))).toEqual([]);
  });

  it('have no cycle between them', () => {
    expect(Object.keys(ROOMS).flatMap((room) => cycleFrom(room) ?? [])).toEqual([]);
  });

  it('hold files whose names are unique', () => {
    expect(duplicatesOf(files.map((file) => basename(file)))).toEqual([]);
  });

  it(`hold files of at most ${MAX_LINES} lines`, () => {
    const linesOf = (file: string): number => readFileSync(join(SRC, file), 'utf8').split('\n').length - 1;
    expect(files.filter((file) => linesOf(file) > MAX_LINES)).toEqual([]);
  });
});
