import { throttled } from '../../../src/observability/report';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('what goes wrong is said again five seconds later, whatever the clock was set to meanwhile', () => {
  const said: unknown[] = [];
  const say = throttled((error) => said.push(error));
  say(1);
  say(2);
  jest.setSystemTime(Date.now() - 3_600_000);
  jest.advanceTimersByTime(5000);
  say(3);
  expect(said).toEqual([1, 3]);
});
