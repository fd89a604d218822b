import { prepared } from '../../../src/destinations/prepared-destination';
import type { Envelope } from '../../../src/events/envelope';
import type { Destination, Outcome, RunningAttempt } from '../../../src/pipeline/delivery';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import { type Deferred, deferred, turns } from '../../support/signals/signals';
import { deliveryTo, eventBody } from '../../support/values/events';

const LINKS = { media: 'link' } as const;

describe('a destination whose events are prepared', () => {
  test('has an attempt interrupted whose preparation fails while one before it waits, and leaves no rejection to end the process', async () => {
    const sent: string[] = [];
    const inner: Destination = Object.assign(new FakeDestination(), {
      normalise: LINKS,
      start: ({ envelope }: { envelope: Envelope }): RunningAttempt => {
        sent.push(envelope.id);
        return { outcome: Promise.resolve<Outcome>({ kind: 'delivered' }), abort: () => {} };
      },
    });
    const waiting: Deferred<Envelope>[] = [];
    const destination = prepared(inner, {
      prepare: () => {
        const next = deferred<Envelope>();
        waiting.push(next);
        return next.promise;
      },
    });
    const deliveries = [1, 2].map((number) => deliveryTo(inner, eventBody(number)));
    const attempts = deliveries.map((delivery) => destination.start(delivery, 1));
    // Jest fails a test in which nobody handles a rejection; a worker ends.
    waiting[1]?.reject(new Error('Redis is full'));
    await turns();
    if (deliveries[0] !== undefined) waiting[0]?.resolve(deliveries[0].envelope);
    const outcomes = await Promise.all(attempts.map(({ outcome }) => outcome));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['delivered', 'interrupted']);
    expect(sent).toEqual([deliveries[0]?.envelope.id]);
  });

  test('that throws when its event is ready has its attempt interrupted', async () => {
    const inner: Destination = Object.assign(new FakeDestination(), {
      normalise: LINKS,
      start: (): RunningAttempt => {
        throw new RangeError('no such header');
      },
    });
    const destination = prepared(inner, { prepare: async ({ envelope }) => envelope });
    const { outcome } = destination.start(deliveryTo(inner, eventBody(1)), 1);
    expect(await outcome).toMatchObject({ kind: 'interrupted' });
  });
});
