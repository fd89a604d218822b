import fc from 'fast-check';
import { omitMember } from '../../../src/events/json-omit';
import type { Span } from '../../../src/events/json-scanner';
import { scanObject } from '../../support/values/scan-object';

/** What remains, parts that follow each other taken together. */
function partsOf(bytes: Buffer, path: readonly string[]): Span[] {
  const parts: { start: number; end: number }[] = [];
  omitMember(bytes, { start: 0, end: bytes.length }, path, (start, end) => {
    const last = parts.at(-1);
    if (last?.end === start) last.end = end;
    else parts.push({ start, end });
  });
  return parts;
}

function omit(text: string, path: readonly string[]): string {
  const bytes = Buffer.from(text);
  return Buffer.concat(partsOf(bytes, path).map(({ start, end }) => bytes.subarray(start, end))).toString();
}

/** The raw text of each member, key and value, in order. */
function membersOf(text: string): [string, string][] {
  const bytes = Buffer.from(text);
  return scanObject(bytes).map(({ key, value }) => [key, bytes.toString('utf8', value.start, value.end)]);
}

const space = fc.constantFrom('', '', ' ', '\n  ');
const key = fc.constantFrom('"base64"', '"b\\u0061se64"', '"a"', '"b"', '"message"', '"Base64"');
const rawValue = fc.oneof(
  fc.constantFrom(
    '12345678901234567890123',
    '-0',
    '1E400',
    '"\\u00e9\\/"',
    '{"base64":1}',
    '[ 1 , {"base64":2} ]',
  ),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
);
/** Object texts with duplicate keys, escaped keys and odd white space, as no serializer of ours writes them. */
const rawObject = fc
  .array(fc.tuple(space, key, space, space, rawValue, space), { maxLength: 6 })
  .map((members) => `{${members.map(([a, k, b, c, v, d]) => `${a}${k}${b}:${c}${v}${d}`).join(',')}}`);

describe('omitMember', () => {
  test('the result parses, lacks every member of that name, and keeps the bytes of all others', () => {
    fc.assert(
      fc.property(rawObject, (text) => {
        const kept = membersOf(text).filter(([name]) => name !== 'base64');
        expect(membersOf(omit(text, ['base64']))).toEqual(kept);
        expect(() => JSON.parse(omit(text, ['base64']))).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  test('along a path, only the member at its end is left out', () => {
    fc.assert(
      fc.property(rawObject, rawObject, (inner, other) => {
        const text = `{"base64": 1 ,"message":${inner}, "message" : ${other},"x":${inner}}`;
        const result = omit(text, ['message', 'base64']);
        const expected = membersOf(text).map(([name, value]) =>
          name === 'message' ? [name, omit(value, ['base64'])] : [name, value],
        );
        expect(membersOf(result)).toEqual(expected);
      }),
    );
  });

  test('an object without the member is one part: all of it', () => {
    fc.assert(
      fc.property(rawObject, (text) => {
        const bytes = Buffer.from(text);
        const span = { start: 0, end: bytes.length };
        expect(partsOf(bytes, ['absent'])).toEqual([span]);
        expect(partsOf(bytes, ['absent', 'base64'])).toEqual([span]);
      }),
    );
  });

  test.each([
    ['{"base64":1}', '{}'],
    ['{"base64":1,"a":2}', '{"a":2}'],
    ['{"a":2,"base64":1}', '{"a":2}'],
    ['{"a":1,"base64":2,"b":3}', '{"a":1,"b":3}'],
    ['{ "base64" : 1 , "a" : 2 }', '{ "a" : 2 }'],
    ['{"base64":1,"base64":2}', '{}'],
    ['{"base64":1,"a":2,"base64":3,"base64":4}', '{"a":2}'],
    ['[{"base64":1}]', '[{"base64":1}]'],
    ['"base64"', '"base64"'],
    ['null', 'null'],
  ])('%s becomes %s', (text, expected) => {
    expect(omit(text, ['base64'])).toBe(expected);
  });

  test('an empty path leaves everything', () => {
    expect(omit('{"a":1}', [])).toBe('{"a":1}');
  });
});
