import { Ramp } from '../../../src/retry/ramp';

const never = (): number => Number.NEGATIVE_INFINITY;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('after a rest retries get their places little by little, whatever is under way by then', () => {
  const ramp = new Ramp(100, never);
  expect(ramp.places(0)).toBe(16);
  for (const places of [32, 48, 64, 80, 96, 100, 100]) {
    jest.advanceTimersByTime(250);
    expect(ramp.places(16)).toBe(places);
  }
});

test('a short time without any is no rest', () => {
  const ramp = new Ramp(100, never);
  ramp.places(0);
  jest.advanceTimersByTime(2000);
  expect(ramp.places(1)).toBe(100);
  jest.advanceTimersByTime(1000);
  expect(ramp.places(0)).toBe(100);
  jest.advanceTimersByTime(100);
  expect(ramp.places(0)).toBe(16);
});

test('while fresh deliveries come some places are left free', () => {
  let freshAt = performance.now();
  const ramp = new Ramp(100, () => freshAt);
  ramp.places(1);
  jest.advanceTimersByTime(2000);
  expect(ramp.places(1)).toBe(100);
  freshAt = performance.now();
  expect(ramp.places(1)).toBe(80);
  jest.advanceTimersByTime(999);
  expect(ramp.places(1)).toBe(80);
  jest.advanceTimersByTime(1);
  expect(ramp.places(1)).toBe(100);
});

test('there are never more places than there may be, and always one', () => {
  expect(new Ramp(10, never).places(0)).toBe(10);
  expect(new Ramp(1, () => performance.now()).places(0)).toBe(1);
});
