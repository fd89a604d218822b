import fc from 'fast-check';
import { type DestinationId, deliveryId, destinationKey } from '../../src/pipeline/delivery';
import { SlotMap } from '../../src/slot-map';
import { envelopeOf, eventBody } from '../support/values/events';

type Step = readonly ['set' | 'delete' | 'get', string, number];

/** Few enough that they meet, some of them in one place, and the empty one. */
const id = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'xxxxxxab',
  'yyxxxxxxyyyyyyyy',
  'zzxxxxxxzzzzzzzz',
  'é',
  '1',
  '11',
);
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('set', 'delete', 'get'),
  fc.oneof(id, fc.string({ maxLength: 3 })),
  fc.nat(),
);

test('a slot map answers as a Map does, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const slots = new SlotMap<string, number>();
      const map = new Map<string, number>();
      for (const [what, key, value] of steps) {
        const before = map.get(key);
        if (what === 'set') {
          expect(slots.set(key, value)).toBe(before);
          map.set(key, value);
        } else if (what === 'delete') {
          expect(slots.delete(key)).toBe(before);
          map.delete(key);
        }
        expect(slots.get(key)).toBe(map.get(key));
        expect(slots.has(key)).toBe(map.has(key));
        expect(slots.size).toBe(map.size);
      }
      expect(new Map(slots.entries())).toEqual(map);
    }),
  );
});

test('it grows with what is in it', () => {
  const slots = new SlotMap<string, number>();
  for (let number = 0; number < 5000; number++) slots.set(`id-${number}`, number);
  for (let number = 0; number < 5000; number++) expect(slots.get(`id-${number}`)).toBe(number);
  for (let number = 0; number < 5000; number += 2) expect(slots.delete(`id-${number}`)).toBe(number);
  expect(slots.size).toBe(2500);
  for (let number = 0; number < 5000; number++)
    expect(slots.get(`id-${number}`)).toBe(number % 2 === 0 ? undefined : number);
});

/** Ids that share their place, on average, with the one that is looked for. */
function crowding(map: SlotMap<string, unknown>): number {
  const { first, next } = map as unknown as { first: Int32Array; next: number[] };
  let [all, squares] = [0, 0];
  for (const slot of first) {
    let count = 0;
    for (let each = slot; each !== -1; each = next[each] ?? -1) count++;
    all += count;
    squares += count * count;
  }
  return squares / all;
}

test('ids of one destination are spread over all places, although they end alike', () => {
  const slots = new SlotMap<string, number>();
  const key = destinationKey('webhook:global' as DestinationId);
  for (let number = 0; number < 500; number++)
    slots.set(deliveryId(envelopeOf(eventBody(number)).id, key), number);
  expect(crowding(slots)).toBeLessThan(3);
});
