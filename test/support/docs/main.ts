import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from '../../../src/modules';
import { deployFiles } from '../deploy/made-files';
import { configurationPage } from './configuration-page';

/** `npm run docs`: writes the files that are made from the code, and from each other. */
const FILES = new Map([['docs/configuration.md', configurationPage(MODULES)], ...deployFiles()]);

for (const [path, text] of FILES) {
  const file = join(__dirname, '../../..', path);
  writeFileSync(file, text);
  process.stdout.write(`${file}\n`);
}
