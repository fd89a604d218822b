import fc from 'fast-check';
import { type NumberOf, withNumbers } from '../../../src/events/normalise-lids';
import { envelopeOf } from '../../support/values/events';

const LID_JID = '99887766554433@lid';
const NUMBER_JID = '5511988887777@s.whatsapp.net';
const known: NumberOf = () => '5511988887777';

/** `data` with numbers in place of LIDs. */
function rewritten(data: object): unknown {
  const envelope = envelopeOf(JSON.stringify({ event: 'x', instance: 'i', data }));
  const body = withNumbers(envelope, known).body.toString();
  return (JSON.parse(body) as { data: unknown }).data;
}

const BYTES = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [index, index % 256]));
const KEY = { participant: LID_JID };
const NUMBERED = { participant: NUMBER_JID, participantAlt: LID_JID };

describe('long objects of numbers, which are stepped over', () => {
  test.each([
    [
      'before and behind somebody',
      { a: KEY, thumb: BYTES, b: KEY },
      { a: NUMBERED, thumb: BYTES, b: NUMBERED },
    ],
    ['that name somebody, too', { ...BYTES, ...KEY, z: 1, 301: 5 }, { ...BYTES, 301: 5, ...NUMBERED, z: 1 }],
    [
      'with somebody in an object within',
      { x: { ...BYTES, y: { ...KEY, 1: 2 } } },
      { x: { ...BYTES, y: { 1: 2, ...NUMBERED } } },
    ],
    [
      'with somebody in a list within',
      { x: { ...BYTES, y: [KEY, { 1: 2 }] } },
      { x: { ...BYTES, y: [NUMBERED, { 1: 2 }] } },
    ],
    [
      'with a text that looks like their end',
      { x: { ...BYTES, y: '5":2}', ...KEY } },
      { x: { ...BYTES, y: '5":2}', ...NUMBERED } },
    ],
    [
      'with a brace in a key',
      { x: { ...BYTES, '5}': 2 }, ...KEY },
      { x: { ...BYTES, '5}': 2 }, ...NUMBERED },
    ],
  ])('%s', (_what, data, becomes) => {
    expect(rewritten(data)).toEqual(becomes);
  });

  test('whatever they hold, nobody beside them is missed', () => {
    const value = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom('5":2}', '}', '{', '"', '\\', '7:1}', KEY, [KEY], {}, [], LID_JID),
    );
    const object = fc.dictionary(fc.oneof(fc.nat(9).map(String), fc.constantFrom('5}', '5"', 'x')), value);
    fc.assert(
      fc.property(object, object, (first, last) => {
        const data = { a: { ...BYTES, ...first, ...last }, ...KEY };
        expect(rewritten(data)).toMatchObject(NUMBERED);
      }),
    );
  });
});
