import fc from 'fast-check';
import { PrefetchWindow } from '../../../../src/sources/rabbitmq/prefetch-window';

describe('the window of a consumer', () => {
  test('holds no more bytes than allowed, save for a message that is alone', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 100 }), (steps) => {
        const window = new PrefetchWindow(250, 1000);
        const held: number[] = [];
        for (const [bytes, leaves] of steps) {
          if (leaves && held.length > 0) window.leave(held.shift() ?? 0);
          else if (window.admit(bytes)) held.push(bytes);
          expect(window.bytes).toBe(held.reduce((sum, each) => sum + each, 0));
          expect(held.length <= 1 || window.bytes <= 1000).toBe(true);
        }
      }),
    );
  });

  test('takes one message of any size when it holds nothing', () => {
    const window = new PrefetchWindow(250, 1000);
    expect(window.admit(1_000_000)).toBe(true);
    expect(window.admit(1)).toBe(false);
    window.leave(1_000_000);
    expect(window.admit(1)).toBe(true);
  });

  test('starts with the configured prefetch and shrinks to what fits, never below one', () => {
    const window = new PrefetchWindow(250, 1_000_000);
    expect(window.prefetch).toBe(250);
    window.shrink(100_000);
    expect(window.prefetch).toBe(5);
    for (let count = 0; count < 10; count++) window.shrink(1_000_000_000);
    expect(window.prefetch).toBe(1);
  });

  test('every shrink makes it smaller', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 65_535 }),
        fc.integer({ min: 1, max: 10_000_000 }),
        (most, bytes) => {
          const window = new PrefetchWindow(most, 1_000_000);
          window.shrink(bytes);
          expect(window.prefetch).toBeLessThan(most);
          expect(window.prefetch).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  test('grows while messages are small, up to the configured prefetch', () => {
    const window = new PrefetchWindow(250, 1_000_000);
    window.shrink(500_000);
    for (let count = 0; count < 200; count++) {
      window.admit(100);
      window.leave(100);
    }
    const sizes: number[] = [];
    while (window.grow()) sizes.push(window.prefetch);
    expect(sizes).toEqual([2, 4, 8, 16, 32, 64, 128, 250]);
  });

  test('does not grow while messages are large', () => {
    const window = new PrefetchWindow(250, 1_000_000);
    for (let count = 0; count < 200; count++) {
      window.admit(400_000);
      window.leave(400_000);
    }
    window.shrink(400_000);
    expect([window.prefetch, window.grow()]).toEqual([1, false]);
  });
});

describe('the window of a source, over its channels', () => {
  test('counts what lost channels still work on, and gives the new one what is left (finding 3.5)', () => {
    const window = new PrefetchWindow(10, 1000);
    for (let count = 0; count < 8; count++) expect(window.admit(10)).toBe(true);
    window.abandon(8);
    expect([window.count, window.bytes, window.prefetch]).toEqual([8, 80, 2]);
    for (let count = 0; count < 8; count++) window.leaveAbandoned(10);
    expect([window.count, window.bytes, window.prefetch]).toEqual([0, 0, 10]);
  });

  test('does not grow with the number of reconnections (finding 3.5)', () => {
    const window = new PrefetchWindow(10, 1000);
    for (let connection = 0; connection < 50; connection++) {
      let admitted = 0;
      for (let count = 0; count < window.prefetch; count++) if (window.admit(10)) admitted++;
      window.abandon(admitted);
      expect(window.prefetch).toBeGreaterThanOrEqual(1);
    }
    expect(window.count).toBeLessThanOrEqual(20);
    expect(window.bytes).toBeLessThanOrEqual(1000);
  });

  test('holds no more messages than configured, however many queues there are', () => {
    const window = new PrefetchWindow(10, 1000);
    const admitted = Array.from({ length: 30 }, () => window.admit(1)).filter(Boolean);
    expect([admitted.length, window.share(30)]).toEqual([10, 1]);
  });

  test('calls those that wait each time that something leaves', () => {
    const window = new PrefetchWindow(10, 1000);
    const heard = jest.fn();
    window.admit(5);
    window.admit(5);
    window.waitForRoom(heard);
    window.leave(5);
    window.noLongerWaits(heard);
    window.leave(5);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});
