import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { MalformedEventError } from '../../../src/errors';
import { decodeString } from '../../../src/events/json-strings';
import { scanObject } from '../../support/values/scan-object';

function codeOf(text: Buffer | string): string | undefined {
  try {
    scanObject(Buffer.from(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedEventError)) throw error;
    return error.code;
  }
}

/** What JSON.parse makes of the same bytes: undefined where it takes them as an object. */
function expectedCode(text: string): 'refused' | 'no object' | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'no object';
  } catch {
    return 'refused';
  }
}

function membersOf(text: Buffer): Record<string, unknown> {
  const entries = scanObject(text).map(({ key, value }): [string, unknown] => [
    key,
    JSON.parse(text.toString('utf8', value.start, value.end)),
  ]);
  return Object.fromEntries(entries);
}

const space = fc.constantFrom('', ' ', '\n', '\r\n\t', '   ');
const jsonText = fc
  .tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, '\t'), space)
  .map(([value, indent, around]) => around + JSON.stringify(value, undefined, indent) + around);
const objectText = fc
  .tuple(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 })), fc.constantFrom(0, 2))
  .map(([value, indent]) => JSON.stringify(value, undefined, indent));

/** Texts that are nearly JSON: a few characters taken out, put in or replaced, or the end cut off. */
const spoiled = fc
  .tuple(
    fc.oneof(objectText, jsonText),
    fc.array(
      fc.record({
        at: fc.nat(400),
        remove: fc.nat(2),
        insert: fc.constantFrom(...'{}[]",:\\0123456789-+.eEtfnu /\u0000\u001f\u007f é😀'.split(''), '', ''),
      }),
      { maxLength: 4 },
    ),
    fc.option(fc.nat(400)),
  )
  .map(([text, edits, cut]) => {
    const edited = edits.reduce(
      (result, { at, remove, insert }) =>
        result.slice(0, at % (result.length + 1)) +
        insert +
        result.slice((at % (result.length + 1)) + remove),
      text,
    );
    // What a buffer makes of it: lone halves of a surrogate pair do not survive UTF-8.
    return Buffer.from(cut === null ? edited : edited.slice(0, cut)).toString();
  });

describe('scanObject', () => {
  test('takes every object that JSON.parse takes, and finds the same members', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        expect(isDeepStrictEqual(membersOf(Buffer.from(text)), JSON.parse(text))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses any text that is not an object, and says whether it is JSON at all', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const expected = expectedCode(text);
        expect(codeOf(text)).toBe(expected === undefined ? undefined : 'BODY_NOT_OBJECT');
      }),
    );
  });

  test('throws exactly where JSON.parse throws, for spoiled texts too', () => {
    fc.assert(
      fc.property(spoiled, (text) => {
        expect(codeOf(text) === undefined).toBe(expectedCode(text) === undefined);
      }),
      { numRuns: 5000 },
    );
  });

  test('throws exactly where JSON.parse throws, for any text that begins like an object', () => {
    const soup = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        'u00',
        'a',
        '1',
        '-',
        '.',
        'e',
        'true',
        'null',
        ' ',
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(soup, (parts) => {
        const text = `{"a":${parts.join('')}}`;
        expect(codeOf(text) === undefined).toBe(expectedCode(text) === undefined);
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    '12345678901234567890123',
    '1E400',
    '-0',
    '0',
    '1e5',
    '1E+5',
    '1e-5',
    '0.5',
    '-0.0e0',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
    '1e+',
    '0x1',
    '00',
    '--1',
    '1.e1',
    'NaN',
    'Infinity',
    '1_0',
  ])('agrees with JSON.parse about the number %s', (number) => {
    const text = `{"data":${number}}`;
    expect(codeOf(text) === undefined).toBe(expectedCode(text) === undefined);
  });

  test.each([
    '"\\b\\f\\n\\r\\t\\/\\\\\\""',
    '"\\u00e9"',
    '"\\uD83D\\uDE00"',
    '"\\ud800"',
    '"\\u12G4"',
    '"\\u12"',
    '"\\x41"',
    '"\\"',
    '"\\',
    '"a\nb"',
    '"\u0000"',
    '"\u001f"',
    '"\u007f"',
    '"\u2028\u2029"',
    '"',
    'tru',
    'True',
    'nul',
    'nullx',
    'undefined',
    "'a'",
    '[1,]',
    '[,1]',
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{a:1}',
    '[1}',
    '{"a":1]',
    '/**/1',
  ])('agrees with JSON.parse about the value %j', (value) => {
    const text = `{"data":${value}}`;
    expect(codeOf(text) === undefined).toBe(expectedCode(text) === undefined);
  });

  test.each([
    '',
    ' ',
    '{',
    '{"',
    '{"a',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{}}',
    '{} {}',
    '{}x',
    '\ufeff{}',
    '\u00a0{}',
  ])('refuses the text %j', (text) => {
    expect(codeOf(text)).toMatch(/^BODY_NOT_(JSON|OBJECT)$/);
  });

  test('takes 100,000 levels of nesting without recursion', () => {
    const depth = 100_000;
    const nested = Buffer.from(`{"data":${'[{"a":'.repeat(depth)}1${'}]'.repeat(depth)}}`);
    expect(scanObject(nested)).toHaveLength(1);
    expect(codeOf(nested.subarray(0, -2))).toBe('BODY_NOT_JSON');
  });

  test('gives duplicate keys in order of appearance, each with its own span', () => {
    const text = Buffer.from('{"a":1, "\\u0061" : [2] ,"a":3}');
    const found = scanObject(text).map(({ key, keySpan, value }) => [
      key,
      text.toString('utf8', keySpan.start, keySpan.end),
      text.toString('utf8', value.start, value.end),
    ]);
    expect(found).toEqual([
      ['a', '"a"', '1'],
      ['a', '"\\u0061"', '[2]'],
      ['a', '"a"', '3'],
    ]);
  });

  test('scans an object that lies within a larger text, and nothing beyond it', () => {
    const text = Buffer.from('xx{"a":true}yy');
    expect(scanObject(text, { start: 2, end: 12 }).map(({ key }) => key)).toEqual(['a']);
    expect(() => scanObject(text, { start: 2, end: 11 })).toThrow(MalformedEventError);
    expect(() => scanObject(text, { start: 2, end: 13 })).toThrow(MalformedEventError);
  });

  test('finds what ends a long string wherever it stands in a word of memory', () => {
    const special = fc.constantFrom(
      '"',
      '\\',
      '\n',
      '\u0000',
      '\u001f',
      '\\"',
      '\\n',
      '\\u00e9',
      'é',
      '😀',
      ' ',
      '#',
      '[',
      ']',
      '!',
    );
    fc.assert(
      fc.property(
        fc.nat({ max: 200 }),
        fc.array(fc.tuple(special, fc.nat({ max: 150 })), { maxLength: 4 }),
        fc.nat({ max: 7 }),
        (length, parts, offset) => {
          const inner = 'x'.repeat(length) + parts.map(([text, count]) => text + 'y'.repeat(count)).join('');
          const text = `{"a":"${inner}"}`;
          const shifted = Buffer.alloc(offset + Buffer.byteLength(text)).subarray(offset);
          shifted.write(text);
          const accepts = (parse: () => unknown): boolean => {
            try {
              parse();
              return true;
            } catch {
              return false;
            }
          };
          expect(accepts(() => scanObject(shifted))).toBe(accepts(() => JSON.parse(text)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('never reads a value across the end of the span it was given', () => {
    for (const inner of ['"ab"', '"\\u0041"', 'true', '123', '{"b":1}', '[1]']) {
      const text = Buffer.from(`{"a":${inner}}`);
      for (let end = 1; end < text.length; end++) {
        expect(() => scanObject(text, { start: 0, end })).toThrow(MalformedEventError);
      }
    }
  });

  test('says where the text goes wrong, without quoting it', () => {
    const secret = Buffer.from('{"apikey":"s3cret",}');
    expect(() => scanObject(secret)).toThrow(/unexpected byte at offset 19$/);
  });
});

describe('decodeString', () => {
  test('decodes every string as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (value, ascii) => {
        const text = JSON.stringify(value);
        const token = ascii
          ? text.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
          : text;
        const bytes = Buffer.from(token);
        expect(decodeString(bytes, { start: 0, end: bytes.length })).toBe(JSON.parse(bytes.toString()));
      }),
    );
  });
});
