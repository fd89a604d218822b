import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SRC = join(__dirname, '../../../src');

it('no address is asked about with URL.canParse, which says no to some that are none the worse (config/url.ts)', () => {
  const asking = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => readFileSync(join(SRC, name), 'utf8').includes('canParse('));
  expect(asking).toEqual([]);
});
