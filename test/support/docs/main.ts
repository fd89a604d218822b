import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from '../../../src/modules';
import { configurationPage } from './configuration-page';

/** `npm run docs`: writes the pages that are made from the code. */
const PAGES: readonly (readonly [name: string, make: () => string])[] = [
  ['configuration.md', () => configurationPage(MODULES)],
];

for (const [name, make] of PAGES) {
  const file = join(__dirname, '../../../docs', name);
  writeFileSync(file, make());
  process.stdout.write(`${file}\n`);
}
