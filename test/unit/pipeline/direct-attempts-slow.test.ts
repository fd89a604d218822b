import type { Outcome } from '../../../src/pipeline/delivery';
import {
  DELIVERED,
  FAILED,
  FakeDestination,
  INTERRUPTED,
  PipelineHarness,
  type PipelineOptions,
} from '../../support/harness/pipeline-harness';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** One attempt under way, long enough to be slow; the store may be away. */
async function setup({ away = false, ...options }: PipelineOptions & { away?: boolean } = {}) {
  const harness = new PipelineHarness({ slowAfterMs: 1000, ...options });
  const destination = new FakeDestination('webhook:slow', 30_000);
  harness.parking.away = away;
  const results = harness.submit(destination);
  await pass(1100);
  const end = async (outcome: Outcome): Promise<void> => {
    destination.at(0).end(outcome);
    await pass(0);
  };
  return { harness, parking: harness.parking, destination, results, end };
}

describe('a slow delivery', () => {
  test('is parked, and its message released, while the request goes on', async () => {
    const { parking, results, destination } = await setup();
    expect(results).toEqual(['stored']);
    expect(parking.reasons).toEqual(['slow']);
    expect(destination.at(0).aborts).toEqual([]);
  });

  test('becomes due only when its own request can no longer be under way', async () => {
    const { parking } = await setup();
    const request = parking.parked[0]?.request;
    expect(request).toMatchObject({ attemptsMade: 1, history: [], decision: { kind: 'retry' } });
    expect(request?.decision.kind === 'retry' && request.decision.delayMs).toBeGreaterThan(30_000);
  });

  test('that is delivered after all is settled in the store, and not reported again', async () => {
    const { parking, results, end } = await setup();
    await end(DELIVERED);
    expect(parking.deliveredLater).toHaveLength(1);
    expect(parking.failedLater).toEqual([]);
    expect(results).toEqual(['stored']);
  });

  test('that fails tells the store, so that the retry comes by the policy', async () => {
    const { parking, results, end } = await setup();
    await end(FAILED);
    expect(parking.failedLater).toMatchObject([{ attempt: 1, outcome: FAILED }]);
    expect(results).toEqual(['stored']);
  });

  test('that is interrupted stays parked as it is', async () => {
    const { parking, results, end } = await setup();
    await end(INTERRUPTED);
    expect([parking.deliveredLater, parking.failedLater]).toEqual([[], []]);
    expect(results).toEqual(['stored']);
  });

  test('that is delivered while the store is away is withdrawn, and its message settled as delivered', async () => {
    const { parking, results, end } = await setup({ away: true });
    await end(DELIVERED);
    expect(results).toEqual([]);
    parking.comeBack();
    await pass(0);
    expect(results).toEqual(['delivered']);
    expect(parking.deliveredLater).toEqual([]);
  });

  test('that fails while the store is away is stored first, then told of', async () => {
    const { parking, results, end } = await setup({ away: true });
    await end(FAILED);
    expect([results, parking.failedLater]).toEqual([[], []]);
    parking.comeBack();
    await pass(0);
    expect(results).toEqual(['stored']);
    expect(parking.failedLater).toHaveLength(1);
  });

  test('that was on its way into the store when it was delivered is settled there', async () => {
    const { parking, results, end } = await setup({ away: true });
    await end(DELIVERED);
    parking.parked[0]?.resolve('stored');
    await pass(0);
    expect(results).toEqual(['stored']);
    expect(parking.deliveredLater).toHaveLength(1);
  });

  test('whose store was closed is unstored, once, and nothing is left unhandled', async () => {
    const { harness, parking, results, end } = await setup({ away: true });
    parking.close();
    await pass(0);
    await end(FAILED);
    expect(results).toEqual(['unstored']);
    expect(harness.errors).toHaveLength(1);
  });

  test('whose outcome the store cannot take is told of, and stays parked', async () => {
    const { harness, parking, results, end } = await setup();
    parking.delivered = () => Promise.reject(new Error('away'));
    await end(DELIVERED);
    expect(harness.errors).toEqual([new Error('away')]);
    expect(results).toEqual(['stored']);
  });

  test('is cut off by its timeout', async () => {
    const { parking, destination } = await setup();
    await pass(29_000);
    expect(destination.at(0).aborts).toEqual(['timeout']);
    expect(parking.failedLater).toMatchObject([{ outcome: FAILED }]);
  });

  test('does not count against intake, up to as many as the limit over all', async () => {
    const { harness, destination } = await setup({ concurrency: 1, perDestination: 10 });
    const fresh = new FakeDestination('webhook:fresh');
    harness.submit(fresh);
    expect(fresh.attempts).toHaveLength(1);
    await pass(1100);
    harness.submit(fresh);
    expect(fresh.attempts).toHaveLength(1);
    expect(destination.attempts).toHaveLength(1);
  });
});
