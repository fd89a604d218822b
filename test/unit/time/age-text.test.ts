import { ageText } from '../../../src/time/age-text';

test.each([
  [-5, '0 s'],
  [999, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_599_999, '59 min'],
  [3_600_000, '1 h'],
  [3_780_000, '1 h 3 min'],
  [86_399_999, '23 h 59 min'],
  [86_400_000, '1 d'],
  [180_000_000, '2 d 2 h'],
])('%d ms are %s', (ms, text) => {
  expect(ageText(ms)).toBe(text);
});
