import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SRC = join(__dirname, '../../../src');
/** Everything goes by way of these, so that nothing unprintable gets out and no stream that fails ends the process. */
const ALLOWED = [
  // It takes `console.warn` from libraries, into the log.
  'cli/node-warnings.ts',
  'cli/output.ts',
  'observability/logging.ts',
  'startup/node-version.ts',
];

it('nothing but the output of commands and the log writes to the standard streams', () => {
  const writing = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => /process\.std(out|err)|\bconsole\./.test(readFileSync(join(SRC, name), 'utf8')))
    .map((name) => name.replaceAll('\\', '/'));
  expect(writing.sort()).toEqual(ALLOWED);
});
