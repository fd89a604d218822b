import { LastingMap } from '../../src/lasting-map';

const MANY = 10_000;

/** What names hold. */
function holdings(): LastingMap<string, { held: number }> {
  return new LastingMap(({ held }) => held === 0);
}

test('what became empty stays, so that nothing is made for a name that comes again', () => {
  const map = holdings();
  const value = { held: 1 };
  map.set('a', value);
  value.held = 0;
  expect(map.get('a')).toBe(value);
  expect(map.get('b')).toBeUndefined();
});

test('of very many names those are forgotten that are empty, and no others', () => {
  const map = holdings();
  for (let number = 0; number < MANY; number++) map.set(`${number}`, { held: number % 2 });
  map.set('another', { held: 1 });
  expect(map.get('2')).toBeUndefined();
  expect(map.get('3')).toEqual({ held: 1 });
  expect(map.get('another')).toEqual({ held: 1 });
});

test('where all of very many hold something all of them stay', () => {
  const map = holdings();
  for (let number = 0; number <= 2 * MANY; number++) map.set(`${number}`, { held: 1 });
  for (let number = 0; number <= 2 * MANY; number++) expect(map.get(`${number}`)).toBeDefined();
});
