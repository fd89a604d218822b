import { MODULES } from '../../../src/modules';
import type { Settings } from '../../../src/settings/section';
import { decode, encode } from '../../../src/settings/stored';

const settings: Settings = {
  webhooks: {},
  webhook: {
    enabled: true,
    url: 'https://hooks.example.test/',
    byEvents: false,
    base64: false,
    headers: {},
    events: ['CALL'],
  },
};

describe('what lies in Redis', () => {
  test('is read as it was written', () => {
    expect(decode(MODULES.sections, encode(MODULES.sections, settings))).toEqual({
      ok: true,
      settings,
      warnings: [],
    });
  });

  test('of another schema it is checked, and completed', () => {
    const other = JSON.stringify({ schema: 'another', settings: { webhook: { url: 'https://a.test/' } } });
    expect(decode(MODULES.sections, other)).toMatchObject({
      ok: true,
      settings: { webhook: { enabled: true, events: [] }, webhooks: {} },
    });
  });

  test.each([
    ['of another schema', JSON.stringify({ schema: 'another', settings: { webhook: { url: 7 } } })],
    ['without one', JSON.stringify({ webhook: { url: 7 } })],
    ['no object', '7'],
  ])('what the present schema does not allow is told: %s', (_name, text) => {
    expect(decode(MODULES.sections, text).ok).toBe(false);
  });
});
