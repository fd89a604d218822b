import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = join(__dirname, '../../..');
const NOT_OURS = new Set(['node_modules', 'dist', '.git', 'coverage']);
/** `[text](target)`, also of pictures. */
const LINK = /\]\(([^)\s]+)\)/g;
/** Files that a comment names: `docs/core-api.md`, `pipeline/settle.ts`, with an anchor or without. */
const MENTION = /(?<![\w./-])((?:[\w-]+\/)+[\w.-]+\.(?:md|ts|mjs|json|yml))(#[\w-]+)?/g;
const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
/** Documents that are not in the repository, by the names that comments once cited. */
const ELSEWHERE =
  /\b(?:interface|design|house|models)\.md\b|\bcontract,? (?:part )?[A-G][0-9.]*\b|\bfindings\//;

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesUnder(path, ending);
    return ending.test(entry.name) ? [path] : [];
  });
}

/** Anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(page, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function missing(from: string, target: string): string | undefined {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : resolve(dirname(from), decodeURIComponent(path));
  const where = `${relative(ROOT, from)} → ${target}`;
  if (!existsSync(file)) return where;
  return anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor) ? where : undefined;
}

describe('references', () => {
  test('of every page lead to a file and an anchor that are there', () => {
    const broken = filesUnder(ROOT, /\.md$/).flatMap((page) => {
      const text = readFileSync(page, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
      return [...text.matchAll(LINK)]
        .map(([, target = '']) => target)
        .filter((target) => !/^(?:[a-z]+:|<)/.test(target))
        .flatMap((target) => missing(page, target) ?? []);
    });
    expect(broken).toEqual([]);
  });

  const sources = ['src', 'test'].flatMap((name) => filesUnder(join(ROOT, name), /\.(?:ts|mjs)$/));
  const comments = sources.map((file) => ({
    file: relative(ROOT, file),
    text: (readFileSync(file, 'utf8').match(COMMENT) ?? []).join('\n'),
  }));

  test('of every comment lead to a file that is there', () => {
    const bases = ['', 'src', 'test', 'node_modules'].map((name) => join(ROOT, name));
    const broken = comments.flatMap(({ file, text }) =>
      [...text.matchAll(MENTION)]
        .map(([whole, path = '', anchor]) => ({ whole, path, anchor }))
        .filter(({ path, anchor }) => {
          const found = bases.map((base) => join(base, path)).find((candidate) => existsSync(candidate));
          if (found === undefined) return true;
          return anchor !== undefined && !anchorsOf(found).has(anchor.slice(1));
        })
        .map(({ whole }) => `${file} → ${whole}`),
    );
    expect(broken).toEqual([]);
  });

  test('of comments stay inside the repository', () => {
    const outside = comments.filter(({ text }) => ELSEWHERE.test(text)).map(({ file }) => file);
    expect(outside).toEqual([]);
  });
});
