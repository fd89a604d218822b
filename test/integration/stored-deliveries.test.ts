import type { AttemptRecord, Delivery } from '../../src/pipeline/delivery';
import type { Held } from '../../src/retry/stored-deliveries';
import { FAILED, FakeDestination, REJECTED } from '../support/harness/pipeline-harness';
import { expectExact } from '../support/harness/share-check';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { SlowProxy } from '../support/proxies/slow-proxy';
import { eventually } from '../support/signals/signals';
import { deliveryTo, eventBody } from '../support/values/events';

let harness: StoreHarness;
let destination: FakeDestination;
let delivery: Delivery;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:instance/loja-centro');
  delivery = deliveryTo(destination);
});
afterEach(() => harness.close());

const NOTHING = { accepted: 0, delivered: 0, parked: 0, dead: 0, discarded: 0, difference: 0 };
const FAILURE: AttemptRecord = { attempt: 2, at: 1, durationMs: 2, outcome: FAILED };
const REFUSAL: AttemptRecord = { attempt: 1, at: 1, durationMs: 2, outcome: REJECTED };

/** One worker's hold on what is due. */
async function take(): Promise<Held> {
  const fetched = await harness.fetch();
  if (fetched === undefined) return { id: delivery.id, token: 'none' };
  const { id, token } = fetched.kind === 'due' ? fetched.delivery : fetched.record;
  return { id, token };
}

/** The worker that holds it is frozen: its lock runs out, and two looks find that. */
async function loseLock(): Promise<void> {
  await harness.withRedis((redis) => redis.del(`${harness.store.queue.toKey(delivery.id)}:lock`));
  for (let look = 0; look < 2; look++) await harness.checkStalled();
}

describe('a delivery is decided once (finding 3.8)', () => {
  const dueNow = { decision: { kind: 'retry', delayMs: 0 } } as const;

  test('a late 200 counts although the stored delivery was refused elsewhere meanwhile: no dead letter stays', async () => {
    await harness.park(delivery, dueNow);
    const held = await take();
    expect(await harness.deliveries.bury(held, 'rejected', REFUSAL)).toEqual({
      kind: 'dead',
      reason: 'rejected',
    });
    expect(await harness.deliveries.settle(delivery.id, 'delivered')).toEqual({ kind: 'settled' });
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
    await expectExact(harness);
  });

  test('a refusal elsewhere changes nothing after a late 200', async () => {
    await harness.park(delivery, dueNow);
    const held = await take();
    await harness.deliveries.settle(delivery.id, 'delivered');
    expect(await harness.deliveries.bury(held, 'rejected', REFUSAL)).toEqual({ kind: 'lost' });
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
    expect((await harness.keyNames()).filter((name) => name.includes(delivery.id))).toEqual([]);
    await expectExact(harness);
  });

  test('a late failure changes nothing while another worker attempts it, nor after that one put it back', async () => {
    await harness.park(delivery, { ...dueNow, reason: 'slow', history: [] });
    const held = await take();
    await harness.parking.failed(delivery, REFUSAL);
    await harness.deliveries.giveBack(held, 60_000, FAILURE);
    await harness.parking.failed(delivery, REFUSAL);
    const job = await harness.store.queue.getJob(delivery.id);
    expect([await job?.getState(), job?.attemptsMade, job?.delay]).toEqual(['delayed', 1, 60_000]);
    expect((await harness.store.queue.getJobLogs(delivery.id)).logs).toHaveLength(1);
    expect(harness.dead.all).toEqual([]);
    await expectExact(harness);
  });

  test('a late failure after the delivery was made elsewhere changes nothing, and is told to nobody', async () => {
    await harness.park(delivery, { ...dueNow, reason: 'slow', history: [] });
    await take();
    await harness.deliveries.settle(delivery.id, 'delivered');
    await harness.parking.failed(delivery, REFUSAL);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
    expect(harness.dead.all).toEqual([]);
    expect((await harness.keyNames()).filter((name) => name.includes(delivery.id))).toEqual([]);
  });

  test.each([
    ['gives it up', (held: Held) => harness.deliveries.bury(held, 'rejected', REFUSAL)],
    ['puts it back', (held: Held) => harness.deliveries.giveBack(held, 60_000, FAILURE)],
  ])('a worker whose lock was lost and who then %s changes nothing', async (_what, conclude) => {
    await harness.park(delivery, dueNow);
    const frozen = await take();
    await loseLock();
    expect(await conclude(frozen)).toEqual({ kind: 'lost' });
    const other = await take();
    expect(await conclude(frozen)).toEqual({ kind: 'lost' });
    expect(await harness.deliveries.giveBack(other, 0)).toEqual({ kind: 'parked' });
    expect((await harness.store.queue.getJob(delivery.id))?.attemptsMade).toBe(0);
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, parked: 1 });
    await expectExact(harness);
  });

  test('a confirmation of a worker whose lock was lost counts, whoever holds the delivery then', async () => {
    await harness.park(delivery, dueNow);
    await take();
    await loseLock();
    const other = await take();
    await harness.deliveries.settle(delivery.id, 'delivered');
    expect(await harness.deliveries.giveBack(other, 0, FAILURE)).toEqual({ kind: 'lost' });
    expect(await harness.deliveries.settle(delivery.id, 'delivered')).toEqual({ kind: 'gone' });
    expect(await harness.line(destination)).toEqual({ ...NOTHING, accepted: 1, delivered: 1 });
    expect((await harness.keyNames()).filter((name) => name.includes(delivery.id))).toEqual([]);
    await expectExact(harness);
  });

  test('a lock that ran out while Redis was away is renewed where nobody took the delivery, and not where one did', async () => {
    await harness.park(delivery, dueNow);
    const first = await take();
    const lock = `${harness.store.queue.toKey(delivery.id)}:lock`;
    await harness.withRedis((redis) => redis.del(lock));
    expect(await harness.store.call('relayHold', 15_000, first.id, first.token)).toEqual([]);
    expect(await harness.withRedis((redis) => redis.get(lock))).toBe(first.token);
    await loseLock();
    const second = await take();
    await harness.withRedis((redis) => redis.del(lock));
    expect(await harness.store.call('relayHold', 15_000, first.id, first.token)).toEqual([first.id]);
    expect(await harness.store.call('relayHold', 15_000, second.id, second.token)).toEqual([]);
  });

  /** Everything that two workers, a slow direct attempt and a person may do to one delivery. */
  const doings: readonly (readonly [name: string, step: (held: Held[]) => Promise<unknown>])[] = [
    ['taken', async (held) => held.push(await take())],
    ['late 200', () => harness.deliveries.settle(delivery.id, 'delivered')],
    [
      'late refusal',
      () =>
        harness.deliveries.failedLate({
          id: delivery.id,
          decision: { kind: 'give-up', reason: 'rejected' },
          record: REFUSAL,
          timesTaken: 0,
        }),
    ],
    [
      'first holder refuses',
      (held) => harness.deliveries.bury(held[0] ?? { id: delivery.id, token: '' }, 'rejected'),
    ],
    [
      'lock lost, and taken',
      async (held) => {
        await loseLock();
        held.push(await take());
      },
    ],
    [
      'last holder fails',
      (held) => harness.deliveries.giveBack(held.at(-1) ?? { id: delivery.id, token: '' }, 0, FAILURE),
    ],
    ['replayed', () => harness.deadLetters.replay(delivery.id)],
    ['parked again', () => harness.park(delivery, dueNow)],
    ['too old', () => harness.store.call('relayExpireParked', -1000, 10, 0)],
    ['removed', () => harness.deadLetters.remove(delivery.id)],
  ];

  test('in every order the equation and the shares are exact', async () => {
    for (let run = 0; run < 60; run++) {
      const order = [...doings].sort(() => Math.random() - 0.5);
      const held: Held[] = [];
      await harness.park(delivery, dueNow);
      for (const [, step] of order) {
        await step(held);
        await expectExact(harness).catch((error: unknown) => {
          throw new Error(`after ${order.map(([name]) => name).join(', ')}: ${String(error)}`);
        });
      }
    }
  }, 120_000);
});

describe('what is sent again (finding 3.7)', () => {
  test('steps whose answers are lost are made once, the ledger’s too', async () => {
    const proxy = await SlowProxy.start(Number(new URL(harness.uri).port));
    const far = await StoreHarness.open({ uri: `redis://127.0.0.1:${proxy.port}`, prefix: harness.prefix });
    try {
      const [toPark, toBury, toSettle, toFail] = deliveries(destination, 4) as [
        Delivery,
        Delivery,
        Delivery,
        Delivery,
      ];
      await harness.park(toSettle);
      await harness.park(toFail, { reason: 'slow', history: [] });
      proxy.losesAnswers = true;
      far.ledger.countDelivered(deliveries(destination, 7, 100));
      const sent = Promise.all([
        far.ledger.flush(),
        far.park(toPark),
        far.bury([toBury]),
        far.parking.delivered(toSettle),
        far.parking.failed(toFail, { ...FAILURE, attempt: 1 }),
      ]);
      for (let loss = 0; loss < 3; loss++) {
        // Made there, as another connection sees, and not confirmed here.
        await harness.untilLine(destination, { accepted: 4 + 7, delivered: 1 + 7 });
        await eventually(
          async () => ((await harness.store.queue.getJobLogs(toFail.id)).count === 1 ? true : undefined),
          'the late failure noted',
        );
        proxy.cut();
      }
      proxy.losesAnswers = false;
      proxy.cut();
      await sent;
      expect(await harness.line(destination)).toEqual({
        ...NOTHING,
        accepted: 4 + 7,
        delivered: 1 + 7,
        parked: 2,
        dead: 1,
      });
      expect((await harness.store.queue.getJobLogs(toFail.id)).logs).toHaveLength(1);
      await expectExact(harness);
    } finally {
      proxy.losesAnswers = false;
      proxy.cut();
      await far.close();
      await proxy.close();
    }
  }, 60_000);
});

describe('Redis far away (finding 3.9)', () => {
  test('at 200 ms every due retry is made soon and once, and the lock of none is lost', async () => {
    const proxy = await SlowProxy.start(Number(new URL(harness.uri).port));
    const far = await StoreHarness.open({ uri: `redis://127.0.0.1:${proxy.port}`, prefix: harness.prefix });
    try {
      const due = { decision: { kind: 'retry', delayMs: 500 } } as const;
      await Promise.all(deliveries(destination, 120).map((parked) => harness.park(parked, due)));
      destination.answer = { kind: 'delivered' };
      proxy.latencyMs = 100;
      const startedAt = Date.now();
      far.startWorker({ destinations: [destination], concurrency: 100 });
      // Fetched one by one before the first is begun, that one would begin after twenty seconds.
      const [first] = await far.records.count(1);
      expect((first?.at ?? 0) - startedAt).toBeLessThan(10_000);
      await harness.untilLine(destination, { delivered: 120, parked: 0, difference: 0 });
      expect(destination.attempts).toHaveLength(120);
    } finally {
      proxy.latencyMs = 0;
      await far.close();
      await proxy.close();
    }
  }, 60_000);
});

describe('due times are those of Redis (finding 3.12)', () => {
  test('a worker whose clock is one hour ahead parks and fetches by the right one', async () => {
    const clock = jest
      .spyOn(Date, 'now')
      .mockImplementation(() => performance.timeOrigin + performance.now() + 3_600_000);
    await harness.park(delivery, { decision: { kind: 'retry', delayMs: 200 } });
    await harness.park(deliveryTo(destination, eventBody(2)), {
      decision: { kind: 'retry', delayMs: 600_000 },
    });
    destination.answer = { kind: 'delivered' };
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1, parked: 1 });
    clock.mockRestore();
    expect(destination.attempts.map(({ delivery: { id } }) => id)).toEqual([delivery.id]);
  });

  test('what a wrong clock put off by an hour becomes due by its own delay', async () => {
    await harness.park(delivery, { decision: { kind: 'retry', delayMs: 100 } });
    const legitimate = deliveryTo(destination, eventBody(2));
    await harness.park(legitimate, { decision: { kind: 'retry', delayMs: 7_200_000 } });
    const delayed = harness.store.queue.toKey('delayed');
    await harness.withRedis((redis) => redis.zadd(delayed, (Date.now() + 3_600_000) * 4096, delivery.id));
    expect(await harness.store.call('relayBringForward', 1000, 10)).toBe(1);
    destination.answer = { kind: 'delivered' };
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 1, parked: 1 });
    expect(destination.attempts.map(({ delivery: { id } }) => id)).toEqual([delivery.id]);
  });
});
