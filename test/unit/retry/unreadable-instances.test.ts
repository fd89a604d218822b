import { UnreadableInstances } from '../../../src/retry/unreadable-instances';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const ERROR = new Error('no');

describe('instances whose settings cannot be read', () => {
  test('wait longer each time, up to a minute, and are told once', () => {
    const told: string[] = [];
    const unreadable = new UnreadableInstances((instance) => told.push(instance));
    const pauses: number[] = [];
    for (let time = 0; time < 7; time++) {
      pauses.push(unreadable.failed('loja', ERROR));
      jest.advanceTimersByTime((pauses.at(-1) ?? 0) + 1);
      expect(unreadable.pausedFor('loja')).toBe(0);
    }
    expect(pauses).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
    expect(told).toEqual(['loja']);
  });

  test('several retries that found out together lengthen the pause once', () => {
    const unreadable = new UnreadableInstances(() => {});
    for (let time = 0; time < 50; time++) expect(unreadable.failed('loja', ERROR)).toBeLessThanOrEqual(5000);
    expect(unreadable.pausedFor('loja')).toBeLessThanOrEqual(5000);
  });

  test('one that is mended is asked again at once, and told anew when it breaks again; others never waited', () => {
    const told: string[] = [];
    const unreadable = new UnreadableInstances((instance) => told.push(instance));
    unreadable.failed('loja', ERROR);
    expect(unreadable.pausedFor('other')).toBe(0);
    unreadable.readable('loja');
    expect(unreadable.pausedFor('loja')).toBe(0);
    unreadable.failed('loja', ERROR);
    expect(told).toEqual(['loja', 'loja']);
  });
});
