import { MODULES } from '../../../src/modules';
import { namesNoSection } from '../../../src/settings/unknown-fields';

describe('a document of which nothing would be set', () => {
  test.each([
    [{ webhok: {} }, true],
    [{ instanceName: 'loja', webhok: {} }, true],
    [{ webhok: {}, webhook: { enabled: false } }, false],
    [{ instanceName: 'loja', chatwoot: {} }, false],
    [{}, false],
  ])('%j is refused: %s, whatever of the core stands beside what is misspelt', (settings, isRefused) => {
    expect(namesNoSection(MODULES.sections, settings).length > 0).toBe(isRefused);
  });
});
