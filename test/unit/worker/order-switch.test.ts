import fc from 'fast-check';
import { FakeOrderStore } from '../../support/fakes/fake-order-store';
import { SwitchWorld } from '../../support/fakes/order-switch-world';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const RUNS = Number(process.env['ORDER_RUNS'] ?? 100);
const worker = fc.integer({ min: 0, max: 2 });

const action = fc.oneof(
  fc.record({ what: fc.constant('publish' as const), times: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    what: fc.constantFrom('settle' as const, 'settle', 'lose', 'kill', 'crowd', 'room', 'room'),
    worker,
  }),
  fc.record({
    what: fc.constantFrom('settle' as const, 'settle', 'lose', 'kill', 'crowd', 'room', 'room'),
    worker,
  }),
  fc.record({
    what: fc.constant('pass' as const),
    ms: fc.constantFrom(10, 3000, 8000, 12_000, 12_000, 150_000),
  }),
  fc.record({
    what: fc.constant('pass' as const),
    ms: fc.constantFrom(10, 3000, 8000, 12_000, 12_000, 150_000),
  }),
  fc.record({ what: fc.constant('lag' as const), worker, ms: fc.constantFrom(0, 3000, 6000) }),
);
const actions = (minLength: number, maxLength: number) =>
  fc.array(action, { minLength, maxLength, size: 'max' });

describe('while order is switched on', () => {
  test('no event without a second copy is left to the ordered queue, whatever becomes of the workers that held it', async () => {
    await fc.assert(
      fc.asyncProperty(actions(0, 8), actions(5, 40), async (before, since) => {
        const world = new SwitchWorld(new FakeOrderStore());
        try {
          await world.happen({ what: 'publish', times: 6 });
          for (const each of before) await world.happen(each);
          await world.happen({ what: 'order' });
          for (const each of since) await world.happen(each);
          await world.quiet();
        } finally {
          await world.end();
        }
      }),
      { numRuns: RUNS, seed: 1, interruptAfterTimeLimit: 100_000 },
    );
  }, 120_000);
});
