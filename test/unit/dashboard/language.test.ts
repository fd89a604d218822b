import { languageOf } from '../../../src/dashboard/language';

test.each([
  [undefined, 'en'],
  ['', 'en'],
  ['pt', 'pt-BR'],
  ['pt-PT,pt;q=0.9', 'pt-BR'],
  ['de-DE,es;q=0.8,en;q=0.7', 'es'],
  ['en;q=0.2,pt-BR;q=0.9', 'pt-BR'],
  ['es;q=0,fr', 'en'],
  ['ES-419', 'es'],
  [`${'x,'.repeat(5000)}pt`, 'en'],
])('a browser that asks for %p is answered in %s', (accepted, expected) => {
  expect(languageOf(accepted)).toBe(expected);
});
