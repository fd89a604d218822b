import { randomBytes } from 'node:crypto';
import { StoreUnavailableError } from '../../src/errors';
import type { Delivery } from '../../src/pipeline/delivery';
import { decide } from '../../src/retry/policy';
import {
  DELIVERED,
  FAILED,
  FakeDestination,
  INTERRUPTED,
  REJECTED,
} from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { deliveryTo, envelopeOf, eventBody } from '../support/values/events';

let harness: StoreHarness;
let destination: FakeDestination;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:global', 30_000, [{ key: 'webhook:global', part: 0.25 }]);
});
afterEach(() => harness.close());

const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;
const NOTHING = { accepted: 0, delivered: 0, parked: 0, dead: 0, discarded: 0, difference: 0 };

const untilStarted = (count: number): Promise<true> =>
  eventually(() => (destination.attempts.length >= count ? true : undefined), `${count} attempts`);

/** How often the deliveries that are still parked were fetched, in all. */
const timesTaken = (): Promise<number> =>
  harness.withRedis(async (redis) => {
    const keys = (await harness.keyNames()).filter((name) => /:dlv_[^:]+$/.test(name));
    const times = await Promise.all(keys.map((key) => redis.hget(key, 'ats')));
    return times.reduce((sum, each) => sum + Number(each ?? 0), 0);
  });

describe('the retry worker', () => {
  test('delivers what is due, byte for byte, under the same identity, and nothing of it stays', async () => {
    destination.answer = DELIVERED;
    const parked = deliveries(destination, 30);
    for (const delivery of parked) await harness.park(delivery, DUE);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 30, parked: 0 });
    const delivered = new Map(destination.attempts.map(({ delivery }) => [delivery.id, delivery]));
    expect(destination.attempts).toHaveLength(30);
    for (const { id, envelope } of parked) {
      expect(delivered.get(id)?.envelope.body.equals(envelope.body)).toBe(true);
      expect(delivered.get(id)?.envelope.id).toBe(envelope.id);
    }
    await eventually(
      async () => ((await harness.keyNames()).some((name) => name.includes('dlv_')) ? undefined : true),
      'no key of a delivery',
    );
  });

  test('delivers what only the transport named, as the direct attempt would', async () => {
    destination.answer = DELIVERED;
    const bare = '{"data":{"a":1}}';
    const envelope = envelopeOf(bare, { routingKey: 'my.instance.messages.upsert' });
    await harness.park({ ...deliveryTo(destination), envelope }, DUE);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1 });
    expect(destination.at(0).delivery.envelope).toMatchObject({
      event: 'messages.upsert',
      instance: 'my.instance',
    });
  });

  test('numbers attempts on from the direct one, and gives up when they are used up, with the whole history', async () => {
    destination.answer = FAILED;
    const delivery = deliveryTo(destination);
    await harness.park(delivery, DUE);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { dead: 1, parked: 0, difference: 0 });
    expect(destination.attempts.map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const letter = await harness.deadLetters.show(delivery.id);
    expect(letter?.reason).toBe('attempts-exhausted');
    expect(letter?.history.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(letter?.body.equals(delivery.envelope.body)).toBe(true);
  });

  test('a delivery that was parked without an attempt has all of them before it', async () => {
    destination.answer = FAILED;
    await harness.park(deliveryTo(destination), {
      ...DUE,
      reason: 'saturated',
      attemptsMade: 0,
      history: [],
    });
    harness.startWorker({ destinations: [destination] });
    await harness.dead.count(1);
    expect(destination.attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('a slow retry gives its place back, and its late answer counts (finding 1.2)', async () => {
    const [hanging, other] = [destination, new FakeDestination('webhook:other')];
    other.answer = DELIVERED;
    const slow = deliveries(hanging, 3);
    for (const delivery of slow) await harness.park(delivery, DUE);
    harness.startWorker({ destinations: [hanging, other], concurrency: 3, slowAfterMs: 100 });
    await untilStarted(3);
    await harness.park(deliveryTo(other), DUE);
    await harness.untilLine(other, { delivered: 1 });
    // Put back, each is due once its request can no longer be under way.
    await eventually(
      async () => ((await harness.store.queue.getDelayedCount()) === 3 ? true : undefined),
      'three deliveries put back',
    );
    hanging.at(0).end(DELIVERED);
    hanging.at(1).end(FAILED);
    hanging.at(2).end(REJECTED);
    await harness.untilLine(hanging, { delivered: 1, dead: 1, parked: 1, difference: 0 });
    const failed = hanging.at(1).delivery.id;
    const job = await eventually(async () => {
      const found = await harness.store.queue.getJob(failed);
      return found?.attemptsMade === 1 ? found : undefined;
    }, 'the attempt counted');
    expect((await harness.store.queue.getJobLogs(failed)).count).toBe(1);
    expect(job.data.n).toBe(1);
    expect(hanging.attempts).toHaveLength(3);
  });

  test('an answer that will never change ends it at once', async () => {
    destination.answer = REJECTED;
    await harness.park(deliveryTo(destination), DUE);
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { dead: 1 });
    expect([destination.attempts.length, harness.dead.all]).toEqual([1, ['rejected']]);
  });

  test('a destination that was removed meanwhile makes a dead letter, without an attempt', async () => {
    await harness.park(deliveryTo(destination), DUE);
    harness.startWorker({ destinations: [] });
    await harness.untilLine(destination, { dead: 1, parked: 0 });
    expect(harness.dead.all).toEqual(['destination-removed']);
  });

  test('an interruption spends no attempt, and the delivery stays parked', async () => {
    const delivery = deliveryTo(destination);
    await harness.park(delivery, DUE);
    harness.startWorker({ destinations: [destination] });
    await untilStarted(1);
    destination.at(0).end(INTERRUPTED);
    await eventually(
      async () => ((await harness.store.queue.getDelayedCount()) === 1 ? true : undefined),
      'the delivery parked again',
    );
    const job = await harness.store.queue.getJob(delivery.id);
    expect([job?.attemptsMade, job?.data.n]).toEqual([0, 1]);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });

  test('settings that cannot be read spend no attempt, and the delivery stays parked', async () => {
    const delivery = deliveryTo(destination);
    await harness.park(delivery, DUE);
    let asked = 0;
    harness.startWorker({
      destinationOf: async () => {
        asked++;
        throw new StoreUnavailableError('away');
      },
    });
    await eventually(
      async () => (asked > 0 && (await harness.store.queue.getDelayedCount()) === 1 ? true : undefined),
      'the delivery parked again',
    );
    const job = await harness.store.queue.getJob(delivery.id);
    expect([job?.attemptsMade, job?.data.n]).toEqual([0, 1]);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
  });

  test('while the circuit is open nothing is attempted, and nothing is spent', async () => {
    destination.answer = FAILED;
    await harness.park(deliveryTo(destination, eventBody(1)), DUE);
    harness.startWorker({ destinations: [destination], circuitFailures: 1 });
    await harness.records.count(1);
    await harness.park(deliveryTo(destination, eventBody(2)), DUE);
    await eventually(
      async () => ((await harness.store.queue.getDelayedCount()) === 2 ? true : undefined),
      'both parked again',
    );
    expect(destination.attempts).toHaveLength(1);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 2, parked: 2 });
  });

  test('bodies that are too much for memory together are retried one after the other', async () => {
    const count = 6;
    const large = (): Buffer => eventBody(1, { data: randomBytes(150_000).toString('base64') });
    for (let number = 0; number < count; number++) await harness.park(deliveryTo(destination, large()), DUE);
    harness.startWorker({ destinations: [destination], maxBytes: 500_000 });
    for (let index = 0; index < count; index++) {
      await untilStarted(index + 1);
      destination.at(index).end(DELIVERED);
    }
    await harness.untilLine(destination, { delivered: count, parked: 0, difference: 0 });
    expect(destination.peak).toBe(1);
  });

  test('what there is no memory for is not taken again and again while others are retried (findings 1.3, 05b)', async () => {
    const other = new FakeDestination('webhook:other');
    other.answer = DELIVERED;
    const large = (): Buffer => eventBody(1, { data: randomBytes(150_000).toString('base64') });
    for (let number = 0; number < 6; number++) await harness.park(deliveryTo(destination, large()), DUE);
    harness.startWorker({ destinations: [destination, other], maxBytes: 500_000 });
    await untilStarted(1);
    // Each of them makes room somewhere, for which the worker looks at all lines.
    for (let number = 1; number <= 8; number++) {
      await harness.park(deliveries(other, 1)[0] as Delivery, DUE);
      await harness.untilLine(other, { delivered: number });
    }
    // Once each, and once more at the most: before, each look took one of them again.
    expect(await timesTaken()).toBeLessThanOrEqual(7);
  });

  test('stopped while attempts are under way, it lets them end and takes no more', async () => {
    const worker = harness.startWorker({ destinations: [destination] });
    await harness.park(deliveryTo(destination, eventBody(1)), DUE);
    await untilStarted(1);
    const stopped = worker.stopIntake();
    await stopped;
    await harness.park(deliveryTo(destination, eventBody(2)), DUE);
    destination.at(0).end(DELIVERED);
    await worker.close();
    expect(destination.attempts).toHaveLength(1);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 2, delivered: 1, parked: 1 });
  });

  test('two workers never make the same attempt', async () => {
    destination.answer = DELIVERED;
    for (const delivery of deliveries(destination, 100)) await harness.park(delivery, DUE);
    harness.startWorker({ destinations: [destination] });
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 100, parked: 0, difference: 0 });
    expect(new Set(destination.attempts.map(({ delivery }) => delivery.id)).size).toBe(100);
    expect(destination.attempts).toHaveLength(100);
  });

  test('the policy it follows is that of the direct attempt', () => {
    const policy = { initialDelayMs: 1, maxDelayMs: 1, exponential: false, jitter: 0 };
    const record = { attempt: 3, at: 0, durationMs: 0, outcome: FAILED };
    expect(harness.decide(deliveryTo(destination), record)).toEqual(decide(policy, 10, record, 0.5));
  });
});
