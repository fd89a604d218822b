import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from '../../../src/modules';
import { configurationPage } from '../../support/docs/configuration-page';

test('docs/configuration.md says what the program reads (npm run docs writes it)', () => {
  const written = readFileSync(join(__dirname, '../../../docs/configuration.md'), 'utf8');
  expect(written).toBe(configurationPage(MODULES));
});
