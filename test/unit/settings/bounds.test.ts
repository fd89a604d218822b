import { MODULES } from '../../../src/modules';
import { boundedLines, boundsProblem } from '../../../src/settings/bounds';
import { parseSettings } from '../../../src/settings/document';
import { MAX_SETTINGS_BYTES } from '../../../src/settings/limits';
import { SettingsRefusedError } from '../../../src/settings/settings-errors';
import { decode, encode } from '../../../src/settings/stored';

const nested = (depth: number): unknown => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);
const url = 'https://hooks.example.test/';

describe('what is given as settings', () => {
  it.each([17, 5000, 100_000])('nested %d deep is refused without a look at it (finding 4.7)', (depth) => {
    expect(boundsProblem(nested(depth))).toMatch(/nested no deeper than 16/);
    expect(parseSettings(MODULES.sections, nested(depth))).toMatchObject({
      ok: false,
      problems: [expect.any(String)],
    });
  });

  it('with 85,000 unknown keys is refused in one line (finding 4.7)', () => {
    const many = Object.fromEntries(Array.from({ length: 85_000 }, (_, index) => [`k${index}`, 1]));
    const parsed = parseSettings(MODULES.sections, { webhook: { url, ...many } });
    expect(parsed).toEqual({
      ok: false,
      problems: ['settings: must have no more than 20000 fields and items in all'],
    });
  });

  it('with many unknown keys is answered by the first twenty and their number (finding 4.7)', () => {
    const many = Object.fromEntries(Array.from({ length: 15_000 }, (_, index) => [`k${index}`, 1]));
    const parsed = parseSettings(MODULES.sections, { webhook: { url, ...many } });
    expect(parsed.ok && parsed.warnings).toHaveLength(21);
    expect(parsed.ok && parsed.warnings.at(-1)).toBe('and 14980 more');
  });

  it('may have problems whose names are long: each line is cut (finding 4.7)', () => {
    const [line = ''] = boundedLines(['x'.repeat(10_000)]);
    expect(line.length).toBeLessThan(700);
    expect(
      new SettingsRefusedError(Array.from({ length: 1000 }, () => 'y'.repeat(1000))).message.length,
    ).toBeLessThan(15_000);
  });

  it.each([
    ['8 KB', 8192, true],
    ['one byte more', 8193, false],
  ])('may have header values of %s (finding 1.9)', (_what, length, ok) => {
    const parsed = parseSettings(MODULES.sections, {
      webhook: { url, headers: { 'x-a': 'v'.repeat(length) } },
    });
    expect(parsed.ok).toBe(ok);
  });

  it('that was stored larger than may be set is not used (finding 1.9)', () => {
    const headers = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`x-${index}`, 'v'.repeat(8000)]),
    );
    const parsed = parseSettings(MODULES.sections, { webhook: { url, headers } });
    if (!parsed.ok) throw new Error('it is right in itself');
    const text = encode(MODULES.sections, parsed.settings);
    expect(text.length).toBeGreaterThan(MAX_SETTINGS_BYTES);
    expect(decode(MODULES.sections, text)).toMatchObject({
      ok: false,
      problems: [expect.stringContaining('no more than 65536 bytes')],
    });
  });
});

describe('what is stored', () => {
  it.each([
    ['no JSON', 'token=s3cret'],
    ['cut off', '{"schema":"x","settings":{"token":"s3cret'],
    ['of a later version', 'sealed2.abcdefgh.AAAA'],
    ['a number', '7'],
    ['a list', '[]'],
    ['of a schema that is not ours', '{"schema":"x","settings":{"webhook":{"url":"s3cret"}}}'],
    ['without what it must have', '{"schema":"x","settings":{"webhooks":5}}'],
  ])('and is %s is told without a word of it (finding 2.1)', (_what, text) => {
    const parsed = decode(MODULES.sections, text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('s3cret');
  });

  it('in clear is checked although it names our schema: anybody may have written it (finding 2.1)', () => {
    const { schema } = JSON.parse(encode(MODULES.sections, { webhooks: {} })) as { schema: string };
    const forged = JSON.stringify({ schema, settings: { webhook: { url: 5 } } });
    expect(decode(MODULES.sections, forged).ok).toBe(false);
    expect(decode(MODULES.sections, JSON.stringify({ schema, settings: {} }))).toMatchObject({
      ok: true,
      settings: { webhooks: {} },
    });
  });
});
