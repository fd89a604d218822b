import type { DestinationId } from '../../../src/pipeline/delivery';
import type { Permits } from '../../../src/pipeline/permits';
import {
  DELIVERED,
  FakeDestination,
  PipelineHarness,
  type PipelineOptions,
} from '../../support/harness/pipeline-harness';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
const RATE = { count: 10, seconds: 1 };

/** As many permits as the test gives. */
class FakePermits implements Permits {
  count = 0;
  isClosed = false;

  get isFree(): boolean {
    return this.count > 0;
  }

  get isFreeForRetry(): boolean {
    return this.count > 0;
  }

  get readyForRetries(): number {
    return this.count;
  }

  get forRetries(): number {
    return this.count;
  }

  get noneForRetriesMs(): number {
    return this.count > 0 ? 0 : 1000;
  }

  take(): void {
    this.count--;
  }

  waitMs(wanted: number): number {
    return Math.max(0, wanted - this.count) * 100;
  }

  async forRetry(): Promise<boolean> {
    return this.count > 0;
  }

  close(): void {
    this.isClosed = true;
  }
}

function setup(options: PipelineOptions = {}) {
  const permits = new FakePermits();
  const harness = new PipelineHarness({ ...options, permitsFor: () => permits });
  const destination = new FakeDestination('webhook:limited');
  destination.limits = { rate: RATE };
  const give = (count: number): void => {
    permits.count += count;
    harness.attempts.room.emit(destination.id);
  };
  return { permits, harness, destination, give };
}

describe('a destination with a rate limit', () => {
  test('begins an attempt for each permit, and holds what waits for one', async () => {
    const { harness, destination, give } = setup();
    const results = harness.submitMany(destination, 8).flat();
    expect(destination.attempts).toHaveLength(0);
    give(3);
    expect(destination.attempts).toHaveLength(3);
    give(5);
    expect(destination.attempts).toHaveLength(8);
    expect(results).toEqual([]);
    expect(harness.parking.parked).toEqual([]);
  });

  test('parks what would wait too long while others are active, into the line of the destination', async () => {
    const { harness, destination } = setup();
    harness.submit(new FakeDestination('webhook:other'));
    harness.submitMany(destination, 30);
    expect(new Set(harness.parking.reasons)).toEqual(new Set(['saturated']));
    const decisions = harness.parking.parked.map(({ request }) => request.decision.kind);
    expect(decisions).toEqual(Array.from({ length: 20 }, () => 'in-line'));
  });

  test('without any other destination nothing is parked for minutes: the rest stays in the broker', async () => {
    const { harness, destination, give } = setup({ isOnly: () => true });
    destination.answer = DELIVERED;
    harness.submitMany(destination, 300);
    await pass(60_000);
    expect(harness.parking.parked).toEqual([]);
    give(300);
    await pass(100);
    expect(destination.attempts.length).toBe(300);
  });

  test('others are not held up while it waits', async () => {
    const { harness, destination } = setup();
    harness.submitMany(destination, 10);
    const other = new FakeDestination('webhook:other');
    other.answer = DELIVERED;
    const results = harness.submit(other);
    await pass(0);
    expect(results).toEqual(['delivered']);
  });

  test('whose limit is removed goes on without permits', async () => {
    const { harness, destination, permits } = setup();
    harness.submit(destination);
    destination.limits = {};
    harness.submit(destination);
    expect(permits.isClosed).toBe(true);
    await pass(100);
    expect(destination.attempts).toHaveLength(2);
  });

  test('and whose limit is another one gets other permits', () => {
    const { harness, destination, permits } = setup();
    const bulkhead = harness.bulkheads.of(destination);
    destination.limits = { rate: { ...RATE } };
    expect(harness.bulkheads.of(destination)).toBe(bulkhead);
    expect(permits.isClosed).toBe(false);
    harness.bulkheads.of({
      id: 'webhook:limited' as DestinationId,
      limits: { rate: { count: 5, seconds: 1 } },
    });
    expect(permits.isClosed).toBe(true);
  });
});
