import { parseMoment } from '../../../src/time/moment';

const NOW = Date.parse('2026-03-10T12:00:00Z');

describe('a moment that a person names', () => {
  test.each([
    ['30m', '2026-03-10T11:30:00Z'],
    ['7d', '2026-03-03T12:00:00Z'],
    ['2026-03-01', '2026-03-01T00:00:00Z'],
    ['2026-03-01T08:00:00-03:00', '2026-03-01T11:00:00Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
  ])('%s is taken', (text, at) => {
    expect(parseMoment(text, NOW)).toBe(Date.parse(at));
  });

  test.each([
    '2026-02-30',
    '2026-02-29T10:00:00Z',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-03-01T25:00',
    'now',
    '',
    '7w',
  ])('%s is none: a day that no calendar has is not moved to another one', (text) => {
    expect(parseMoment(text, NOW)).toBeUndefined();
  });
});
