import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from '../../../src/modules';
import { deployFiles } from '../../support/deploy/made-files';
import { configurationPage } from '../../support/docs/configuration-page';

test('docs/configuration.md says what the program reads (npm run docs writes it)', () => {
  const written = readFileSync(join(__dirname, '../../../docs/configuration.md'), 'utf8');
  expect(written).toBe(configurationPage(MODULES));
});

test.each([...deployFiles()])('%s says what it is made of (npm run docs writes it)', (path, made) => {
  expect(readFileSync(join(__dirname, '../../..', path), 'utf8')).toBe(made);
});
