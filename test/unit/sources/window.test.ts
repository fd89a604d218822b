import fc from 'fast-check';
import { PrefetchWindow as Window } from '../../../src/sources/rabbitmq/prefetch-window';

describe('the window of a consumer', () => {
  test('holds no more bytes than allowed, save for a message that is alone', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 100 }), (steps) => {
        const window = new Window(250, 1000);
        const held: number[] = [];
        for (const [bytes, leaves] of steps) {
          if (leaves) window.leave(held.shift() ?? 0);
          else if (window.admit(bytes)) held.push(bytes);
          expect(window.bytes).toBe(held.reduce((sum, each) => sum + each, 0));
          expect(held.length <= 1 || window.bytes <= 1000).toBe(true);
        }
      }),
    );
  });

  test('takes one message of any size when it holds nothing', () => {
    const window = new Window(250, 1000);
    expect(window.admit(1_000_000)).toBe(true);
    expect(window.admit(1)).toBe(false);
    window.leave(1_000_000);
    expect(window.admit(1)).toBe(true);
  });

  test('starts with the configured prefetch and shrinks to what fits, never below one', () => {
    const window = new Window(250, 1_000_000);
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
          const window = new Window(most, 1_000_000);
          window.shrink(bytes);
          expect(window.prefetch).toBeLessThan(most);
          expect(window.prefetch).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  test('grows while messages are small, up to the configured prefetch', () => {
    const window = new Window(250, 1_000_000);
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
    const window = new Window(250, 1_000_000);
    for (let count = 0; count < 200; count++) {
      window.admit(400_000);
      window.leave(400_000);
    }
    window.shrink(400_000);
    expect([window.prefetch, window.grow()]).toEqual([1, false]);
  });
});
