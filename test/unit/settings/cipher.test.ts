import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { SettingsCipher } from '../../../src/settings/cipher';

const newKey = (): string => randomBytes(32).toString('base64');
const text = '{"webhook":{"secret":"s3cret"}}';

describe('encryption of settings', () => {
  test('without a key nothing is encrypted', () => {
    const cipher = new SettingsCipher([]);
    expect(cipher.seal('a', text)).toBe(text);
    expect(cipher.open('a', text)).toBe(text);
  });

  test('with a key nothing can be read, and no two texts are alike', () => {
    const cipher = new SettingsCipher([newKey()]);
    const sealed = [cipher.seal('a', text), cipher.seal('a', text)];
    expect(sealed.join()).not.toContain('s3cret');
    expect(sealed[0]).not.toBe(sealed[1]);
  });

  test('any text comes back', () => {
    const cipher = new SettingsCipher([newKey()]);
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'grapheme' }), (instance, any) => {
        expect(cipher.open(instance, cipher.seal(instance, any))).toBe(any);
      }),
    );
  });

  test('with a key, text in clear is refused, as anybody may have written it (finding 5.5)', () => {
    const open = (): string => new SettingsCipher([newKey()]).open('a', text);
    expect(open).toThrow(expect.objectContaining({ code: 'SETTINGS_IN_CLEAR' }));
    expect(open).toThrow(/settings encrypt.*SETTINGS_ACCEPT_CLEAR/);
    expect(open).not.toThrow(/s3cret/);
  });

  test('what was stored before there was a key can be read while it is moved', () => {
    expect(new SettingsCipher([newKey()], { acceptClear: true }).open('a', text)).toBe(text);
  });

  test('a text cut to any length is refused as changed, not by a fault of its own (finding 2.1)', () => {
    const cipher = new SettingsCipher([newKey()]);
    const sealed = cipher.seal('a', text);
    fc.assert(
      fc.property(fc.integer({ min: 17, max: sealed.replace(/=+$/, '').length - 1 }), (length) => {
        expect(() => cipher.open('a', sealed.slice(0, length))).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^SETTINGS_(TAMPERED|IN_CLEAR)$/) }),
        );
      }),
    );
  });

  test('while rotating, the first key seals and each opens', () => {
    const [older, newer] = [newKey(), newKey()];
    const sealed = new SettingsCipher([older]).seal('a', text);
    const rotating = new SettingsCipher([newer, older]);
    expect(rotating.open('a', sealed)).toBe(text);
    expect(new SettingsCipher([newer]).open('a', rotating.seal('a', text))).toBe(text);
  });

  test.each([
    ['another key', [newKey()]],
    ['no key', []],
  ])('with %s the error names the variable, and nothing of the key', (_what, keys) => {
    const key = newKey();
    const sealed = new SettingsCipher([key]).seal('loja', text);
    const open = (): string => new SettingsCipher(keys).open('loja', sealed);
    expect(open).toThrow(expect.objectContaining({ code: 'SETTINGS_KEY_MISSING' }));
    expect(open).toThrow(/SETTINGS_ENCRYPTION_KEY.*"loja"/s);
    expect(open).not.toThrow(key);
  });

  test('text that was changed, or put under another instance, is refused', () => {
    const cipher = new SettingsCipher([newKey()]);
    const sealed = cipher.seal('a', text);
    const changed = sealed.slice(0, -4) + (sealed.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    for (const [instance, each] of [
      ['b', sealed],
      ['a', changed],
    ] as const) {
      expect(() => cipher.open(instance, each)).toThrow(/were changed/);
    }
  });
});
