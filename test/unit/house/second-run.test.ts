import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const PROGRAM = `
  import { suitesToRunAgain } from './test/support/second-run.mjs';
  console.log(JSON.stringify(suitesToRunAgain(process.argv[1], process.cwd())));
`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evolution-relay-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Jest's results with these failed suites, and one that passed. */
function again(...failed: readonly (readonly [path: string, message?: string])[]): string[] {
  const file = join(folder, 'results.json');
  const suites = failed.map(([path, message = 'not in time']) => ({
    name: join(ROOT, path),
    status: 'failed',
    message,
  }));
  const passed = { name: join(ROOT, 'test/unit/a.test.ts'), status: 'passed', message: '' };
  writeFileSync(file, JSON.stringify({ testResults: [passed, ...suites] }));
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', PROGRAM, file], { cwd: ROOT });
  return JSON.parse(output.toString()) as string[];
}

describe('suites that are run once more', () => {
  test('are those with brokers, processes and browsers', () => {
    const path = 'test/faults/kill.test.ts';
    expect(again([path])).toEqual([join(ROOT, path)]);
    expect(again([path], ['test/contract/lines.test.ts'])).toHaveLength(2);
  });

  test('are none where a unit test or the model failed, as seeds find what another seed does not', () => {
    expect(again(['test/unit/events/body.test.ts'])).toEqual([]);
    expect(again(['test/faults/kill.test.ts'], ['test/model/first-half.test.ts'])).toEqual([]);
  });

  test('are none where something was lost', () => {
    const diff = '    Object {\\n-     "lost": 0,\\n\\u001b[31m+     "lost": 3,\\u001b[39m';
    expect(again(['test/faults/kill.test.ts', JSON.parse(`"${diff.replaceAll('"', '\\"')}"`)])).toEqual([]);
  });

  test('are none where many failed, or where jest wrote nothing', () => {
    expect(again(...Array.from({ length: 6 }, (_, n) => [`test/faults/${n}.test.ts`] as const))).toEqual([]);
    const output = execFileSync(
      process.execPath,
      ['--input-type=module', '-e', PROGRAM, join(folder, 'none')],
      { cwd: ROOT },
    );
    expect(output.toString().trim()).toBe('[]');
  });
});
