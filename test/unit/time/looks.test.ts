import { Looks } from '../../../src/time/looks';
import { type Deferred, deferred } from '../../support/signals/signals';

const EVERY_MS = 1000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Looks that end when the test says so. */
function setup() {
  const under: Deferred<void>[] = [];
  let begun = 0;
  const looks = new Looks(EVERY_MS, () => {
    begun++;
    const look = deferred();
    under.push(look);
    return look.promise;
  });
  const end = async (): Promise<void> => {
    under.shift()?.resolve();
    await jest.advanceTimersByTimeAsync(0);
  };
  return { looks, end, begun: () => begun };
}

describe('looks', () => {
  test('come after each pause, however often they are started', async () => {
    const { looks, end, begun } = setup();
    looks.start();
    looks.start();
    expect(begun()).toBe(0);
    for (let times = 1; times <= 3; times++) {
      await jest.advanceTimersByTimeAsync(EVERY_MS);
      await end();
      expect(begun()).toBe(times);
    }
    await looks.stop();
  });

  test('one at a time: neither a pause nor a question begins another', async () => {
    const { looks, end, begun } = setup();
    looks.start();
    looks.soon();
    looks.soon();
    await jest.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect(begun()).toBe(1);
    await end();
    looks.soon();
    expect(begun()).toBe(2);
    await end();
    await looks.stop();
  });

  test('stop for good, once the one under way has ended', async () => {
    const { looks, end, begun } = setup();
    looks.start();
    looks.soon();
    let isOver = false;
    const stopped = looks.stop().then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect([isOver, looks.isStopped]).toEqual([false, true]);
    await end();
    await stopped;
    looks.start();
    looks.soon();
    await jest.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect(begun()).toBe(1);
  });

  test('stop without ever having been started, and twice', async () => {
    const { looks, begun } = setup();
    await looks.stop();
    await looks.stop();
    expect(begun()).toBe(0);
  });
});
