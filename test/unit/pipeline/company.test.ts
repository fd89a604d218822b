import { Company } from '../../../src/pipeline/company';
import type { DestinationId } from '../../../src/pipeline/delivery';

const [a, b] = ['webhook:a' as DestinationId, 'webhook:b' as DestinationId];
const MINUTE = 60_000;

test('a destination that alone has deliveries is alone', () => {
  const company = new Company();
  for (let now = 0; now < 10; now++) company.note(a, now);
  expect(company.isAlone(a, 10)).toBe(true);
  expect(company.isAlone(b, 10)).toBe(false);
});

test('two that take turns are not', () => {
  const company = new Company();
  company.note(a, 0);
  company.note(b, 1);
  expect([company.isAlone(a, 2), company.isAlone(b, 2)]).toEqual([false, false]);
  company.note(a, 2);
  expect([company.isAlone(a, 3), company.isAlone(b, 3)]).toEqual([false, false]);
});

test('one whose companion has had nothing for a minute is alone again', () => {
  const company = new Company();
  company.note(b, 0);
  for (let now = 1; now < 2 * MINUTE; now += 1000) company.note(a, now);
  expect(company.isAlone(a, MINUTE)).toBe(false);
  expect(company.isAlone(a, MINUTE + 1)).toBe(true);
});
