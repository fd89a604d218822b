import { Ramp } from '../../../src/retry/ramp';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('after a rest retries get their places little by little, whatever is under way by then', () => {
  const ramp = new Ramp(100);
  expect(ramp.places(0)).toBe(16);
  for (const places of [32, 48, 64, 80, 96, 100, 100]) {
    jest.advanceTimersByTime(100);
    expect(ramp.places(16)).toBe(places);
  }
});

test('a short time without any is no rest', () => {
  const ramp = new Ramp(100);
  ramp.places(0);
  jest.advanceTimersByTime(1000);
  expect(ramp.places(1)).toBe(100);
  jest.advanceTimersByTime(1000);
  expect(ramp.places(0)).toBe(100);
  jest.advanceTimersByTime(100);
  expect(ramp.places(0)).toBe(16);
});

test('there are never more places than there may be', () => {
  const ramp = new Ramp(10);
  expect(ramp.places(0)).toBe(10);
});
