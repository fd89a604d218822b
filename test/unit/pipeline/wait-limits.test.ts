import { DELIVERED, FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('a group with more messages than its part of what the sources hold', () => {
  const PART = 10;
  const options = { perDestination: 1, maxHeld: 4 * PART, maxWaitMs: 1000, slowAfterMs: 60_000 };
  const destinationIn = (group: string, name: string): FakeDestination =>
    new FakeDestination(`webhook:${name}`, 30_000, [{ key: group, part: 0.25 }]);

  /** Not alone, and known to answer within this time. */
  async function answering(
    all: PipelineHarness,
    destination: FakeDestination,
    afterMs: number,
  ): Promise<void> {
    for (let index = 0; index < 50; index++) {
      all.submit(destination);
      await pass(afterMs);
      destination.at(index).end(DELIVERED);
      await pass(0);
    }
    all.submit(new FakeDestination('webhook:other'));
  }

  test('has them wait where all leave soon', async () => {
    const all = new PipelineHarness(options);
    const destination = destinationIn('instance loja', 'a');
    await answering(all, destination, 5);
    all.submitMany(destination, 3 * PART);
    expect(all.parking.parked).toEqual([]);
  });

  test('has no more than its part wait once its destination hangs', async () => {
    const all = new PipelineHarness(options);
    const destination = destinationIn('instance loja', 'a');
    await answering(all, destination, 5);
    all.submitMany(destination, 3 * PART);
    await pass(150);
    expect(all.parking.reasons).toEqual(Array(2 * PART - 1).fill('saturated'));
  });

  test('has no more than its part wait for seconds, however late an attempt counts as slow', async () => {
    const all = new PipelineHarness({ ...options, maxWaitMs: 60_000 });
    const destination = destinationIn('instance loja', 'a');
    await answering(all, destination, 100);
    all.submitMany(destination, 3 * PART);
    expect(all.parking.reasons).toEqual(Array(2 * PART - 1).fill('saturated'));
  });

  test('has no more than its part wait for many destinations that together have few places', async () => {
    const all = new PipelineHarness({ ...options, concurrency: 8 });
    const several = Array.from({ length: 2 * PART }, (_, index) => destinationIn('host loja', `of-${index}`));
    for (const destination of several) await answering(all, destination, 150);
    for (const destination of several) all.submitMany(destination, 2);
    expect(all.parking.parked.length).toBeGreaterThanOrEqual(PART);
  });
});
