import type { Permits } from '../../../src/pipeline/permits';
import { jobDataOf } from '../../../src/retry/job';
import { RetryHandler } from '../../../src/retry/retry-handler';
import type { DueDelivery } from '../../../src/retry/retry-queue';
import type { StoredDeliveries } from '../../../src/retry/stored-deliveries';
import { DELIVERED, FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';
import { deferred, turns } from '../../support/signals/signals';
import { deliveryTo, eventBody } from '../../support/values/events';

/** What is due at once for one destination that takes `perDestination` at a time, each with a permit where there are any. */
async function setup(perDestination: number, count: number, permits?: Permits) {
  const { attempts, bulkheads, places, directAttempts } = new PipelineHarness({
    perDestination,
    ...(permits === undefined ? {} : { permitsFor: () => permits }),
  });
  const destination = new FakeDestination();
  if (permits !== undefined) destination.limits = { rate: { count: 1, seconds: 1 } };
  const steps = { settled: 0, givenBack: 0 };
  const deliveries = {
    wasMade: () => false,
    settle: async () => steps.settled++,
    giveBack: async () => steps.givenBack++,
  };
  const handler = new RetryHandler({
    ...{ attempts, places },
    deliveries: deliveries as unknown as StoredDeliveries,
    bulkheadOf: (each) => bulkheads.of(each),
    isAlone: () => true,
    destinationOf: async () => destination,
    decide: () => ({ kind: 'retry', delayMs: 1000 }),
    observer: { deadLettered: () => {}, recordMissing: () => {}, settingsUnreadable: () => {} },
    onError: (error) => {
      throw error;
    },
  });
  const due = async (number: number): Promise<DueDelivery> => {
    const delivery = deliveryTo(destination, eventBody(number));
    const data = await jobDataOf({
      delivery,
      attemptsMade: 1,
      history: [],
      reason: 'failed',
      decision: { kind: 'retry', delayMs: 0 },
    });
    return { id: delivery.id, token: 'token', data, spent: 1, timesTaken: 1, parkedAt: 0 };
  };
  const all = await Promise.all(Array.from({ length: count }, (_, number) => due(number)));
  return { handler, destination, steps, all, directAttempts };
}

test('retries that are taken together begin one after the other as places come free: none is put back, which costs Redis two calls', async () => {
  const { handler, destination, steps, all } = await setup(2, 8);
  const processed = Promise.all(all.map((due) => handler.process(due)));
  while (steps.settled + steps.givenBack < all.length) {
    await turns();
    for (const { end } of destination.attempts) end(DELIVERED);
  }
  await processed;
  expect({ ...steps, peak: destination.peak }).toEqual({ settled: 8, givenBack: 0, peak: 2 });
});

test('a retry whose place is taken while it waits for a permit waits for the next place: it is not put back', async () => {
  const asked = deferred<void>();
  const permit = deferred<boolean>();
  let count = 0;
  const permits: Permits = {
    ...{ forRetries: 1, readyForRetries: 1, noneForRetriesMs: 0, waitMs: () => 0, close: () => {} },
    get isFree() {
      return count > 0;
    },
    get isFreeForRetry() {
      return count > 0;
    },
    take: () => count--,
    forRetry: () => {
      asked.resolve();
      return permit.promise;
    },
  };
  const { handler, destination, steps, all, directAttempts } = await setup(1, 1, permits);
  const [due] = all;
  if (due === undefined) throw new Error('nothing is due');
  const processed = handler.process(due);
  await asked.promise;
  count = 2;
  permit.resolve(true);
  // At once, as whatever hears that there are permits.
  directAttempts.submit(deliveryTo(destination, eventBody(99)), { resolve: () => {} }, 0);
  await turns();
  expect(destination.attempts).toHaveLength(1);
  destination.attempts[0]?.end(DELIVERED);
  await turns();
  destination.attempts[1]?.end(DELIVERED);
  await processed;
  expect(steps).toEqual({ settled: 1, givenBack: 0 });
});
