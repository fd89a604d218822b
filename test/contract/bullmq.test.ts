import type { Job } from 'bullmq';
import type { Delivery } from '../../src/pipeline/delivery';
import { DELIVERED, FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { sharesOf } from '../support/harness/share-check';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { deliveryTo, eventBody } from '../support/values/events';
import { nth } from '../support/values/items';

/**
 * What we take for granted of BullMQ: how it stores a job (`relayPark` stores one in the same way, together with what counts
 * it), and which keys and arguments its scripts have that run behind a guard of ours. Fails when a new version differs.
 */
let harness: StoreHarness;
let destination: FakeDestination;
let delivery: Delivery;
beforeEach(async () => {
  harness = await StoreHarness.open();
  destination = new FakeDestination('webhook:instance/loja-centro');
  delivery = deliveryTo(destination);
});
afterEach(() => harness.close());

const DELAY_MS = 60_000;
const LATER = { decision: { kind: 'retry', delayMs: DELAY_MS } } as const;
const DUE = { decision: { kind: 'retry', delayMs: 0 } } as const;
/** Ours, in the same hash. */
const OWN_FIELDS = ['charge'];

const key = (name: string): string => harness.store.queue.toKey(name);
const fetchOne = () => harness.fetch();

async function expectExact(): Promise<void> {
  for (const { difference } of await harness.audit()) expect(difference).toBe(0);
  const { counted, found } = await sharesOf(harness);
  expect(counted).toEqual(found);
}

/** A job as BullMQ's own tools show it, without what differs from one to the next. */
async function seen(job: Job | undefined): Promise<unknown> {
  if (job === undefined) return undefined;
  const { name, data, delay, priority, attemptsMade, attemptsStarted, stalledCounter, progress } = job;
  const { failedReason, finishedOn, processedOn, returnvalue, parentKey, deduplicationId } = job;
  return {
    ...{ name, data, delay, priority, attemptsMade, attemptsStarted, stalledCounter, progress },
    ...{ failedReason, finishedOn, processedOn, returnvalue, parentKey, deduplicationId },
    timestamp: typeof job.timestamp,
    state: await job.getState(),
  };
}

describe('a job that we park', () => {
  test('lies there as one that BullMQ adds: fields, types, due time, and as its tools see it', async () => {
    const { queue } = harness.store;
    await harness.park(delivery, LATER);
    const data = JSON.parse((await harness.withRedis((redis) => redis.hget(key(delivery.id), 'data'))) ?? '');
    const added = await queue.add('messages.upsert', data, { jobId: 'added', delay: DELAY_MS });

    await harness.withRedis(async (redis) => {
      const [ours, theirs] = [await redis.hgetall(key(delivery.id)), await redis.hgetall(key('added'))];
      const fields = Object.keys(ours).filter((field) => !OWN_FIELDS.includes(field));
      expect(fields.sort()).toEqual(Object.keys(theirs).sort());
      const { opts: _ours, timestamp: parkedAt, ...oursRest } = ours;
      const { opts: _theirs, timestamp: addedAt, ...theirsRest } = theirs;
      expect(oursRest).toMatchObject(theirsRest);
      const due = async (id: string): Promise<number> =>
        Math.floor(Number(await redis.zscore(key('delayed'), id)) / 4096);
      expect(await due(delivery.id)).toBe(Number(parkedAt) + DELAY_MS);
      expect(await due('added')).toBe(Number(addedAt) + DELAY_MS);
      expect(await redis.zcard(key('delayed'))).toBe(2);
    });

    expect(await seen(await queue.getJob(delivery.id))).toEqual(
      await seen(await queue.getJob(added.id ?? '')),
    );
    expect((await queue.getDelayed()).map(({ id }) => id)).toEqual([delivery.id, 'added']);
    expect(await queue.getJobCounts('delayed', 'wait', 'active', 'failed')).toEqual({
      delayed: 2,
      wait: 0,
      active: 0,
      failed: 0,
    });
    await added.remove();
  });

  test('fetched by BullMQ and put back, it is what a job is that BullMQ itself put back', async () => {
    const { queue } = harness.store;
    await harness.park(delivery, DUE);
    const fetched = await fetchOne();
    expect(await (await queue.getJob(delivery.id))?.getState()).toBe('active');
    if (fetched?.kind !== 'due') throw new Error('nothing was fetched');
    await harness.deliveries.giveBack(fetched.delivery, DELAY_MS, {
      ...{ attempt: 2, at: 1, durationMs: 1, outcome: FAILED },
    });

    const data = (await queue.getJob(delivery.id))?.data;
    if (data === undefined) throw new Error('it is gone');
    const added = await queue.add('messages.upsert', data, { jobId: 'added', attempts: 10 });
    const worker = harness.store.openWorker({ name: 'theirs', lockMs: 15_000, stalledCheckMs: 5000 });
    const job = await worker.getNextJob('theirs:1', { block: false });
    await job?.moveToDelayed(Date.now() + DELAY_MS, 'theirs:1');
    await worker.close();
    const [ours, theirs] = await Promise.all([queue.getJob(delivery.id), queue.getJob('added')]);
    expect([await ours?.getState(), await theirs?.getState()]).toEqual(['delayed', 'delayed']);
    expect(ours?.attemptsStarted).toBe(theirs?.attemptsStarted);
    expect(ours?.attemptsMade).toBe(1);
    await harness.withRedis(async (redis) => {
      expect(await redis.exists(`${key(delivery.id)}:lock`, `${key('added')}:lock`)).toBe(0);
      expect(await redis.llen(key('active'))).toBe(0);
    });
    await added.remove();
  });

  test('can be promoted, put off and, once dead, retried with BullMQ’s tools; everything is counted right after', async () => {
    const { queue } = harness.store;
    const [first, second] = deliveries(destination, 2) as [Delivery, Delivery];
    await harness.park(first, LATER);
    await harness.bury([second]);
    expect(await (await queue.getJob(second.id))?.getState()).toBe('failed');
    await (await queue.getJob(first.id))?.changeDelay(2 * DELAY_MS);
    await (await queue.getJob(first.id))?.promote();
    await (await queue.getJob(second.id))?.retry('failed');
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 2, delivered: 2, parked: 0, dead: 0, difference: 0 });
    await expectExact();
  });

  test('waits while a person has paused the queue with BullMQ’s tools', async () => {
    await harness.park(delivery, DUE);
    await harness.store.queue.pause();
    expect(await fetchOne()).toBeUndefined();
    expect(await harness.line(destination)).toMatchObject({ accepted: 1, parked: 1, difference: 0 });
    await harness.store.queue.resume();
    expect((await fetchOne())?.kind).toBe('due');
  });

  test('retried with BullMQ’s tools and put off, it is a parked one again', async () => {
    await harness.bury([delivery]);
    await (await harness.store.queue.getJob(delivery.id))?.retry('failed');
    const fetched = await fetchOne();
    if (fetched?.kind !== 'due') throw new Error('nothing was fetched');
    await harness.deliveries.giveBack(fetched.delivery, DELAY_MS);
    expect(await harness.line(destination)).toMatchObject({ accepted: 1, parked: 1, dead: 0 });
    await expectExact();
  });
});

describe('what runs before BullMQ’s scripts', () => {
  test.each([
    ['ahead', 3_600_000],
    ['behind', -3_600_000],
  ])(
    'a process whose clock is an hour %s fetches what is due by that of Redis (finding 3.12)',
    async (_what, skew) => {
      const [due, later] = deliveries(destination, 2) as [Delivery, Delivery];
      await harness.park(due, DUE);
      await harness.park(later, LATER);
      const now = Date.now();
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + skew);
      try {
        const fetched = [await fetchOne(), await fetchOne()];
        expect(fetched.map((one) => (one?.kind === 'due' ? one.delivery.id : one))).toEqual([
          due.id,
          undefined,
        ]);
        const processedOn = (await harness.store.queue.getJob(due.id))?.processedOn ?? 0;
        expect(Math.abs(processedOn - now)).toBeLessThan(600_000);
      } finally {
        clock.mockRestore();
      }
    },
  );

  test('a key of another type among a thousand due jobs costs none of them', async () => {
    const all = deliveries(destination, 40);
    for (const one of all) await harness.park(one, DUE);
    const [gone, odd, waiting] = [nth(all, 7), nth(all, 20), nth(all, 0)];
    await harness.withRedis(async (redis) => {
      await redis.del(key(gone.id), key(odd.id));
      await redis.set(key(odd.id), 'x');
      await redis.zrem(key('delayed'), waiting.id);
      await redis.rpush(key('wait'), waiting.id, 'nothing');
      await redis.zadd(key('prioritized'), 1, 'none');
    });
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { delivered: 38, parked: 0 });
    expect([...(await harness.missing.count(4))].sort()).toEqual([gone.id, 'none', 'nothing', odd.id].sort());
    expect(await harness.withRedis((redis) => redis.exists(key(gone.id), key('nothing'), key('none')))).toBe(
      0,
    );
  });

  test.each([
    ['options', 'opts', '{'],
    ['options', 'opts', 'null'],
    ['progress', 'progress', 'x'],
  ])('a job whose %s BullMQ cannot read (%s: %s) is delivered all the same', async (_what, field, text) => {
    await harness.park(delivery, DUE);
    await harness.withRedis((redis) => redis.hset(key(delivery.id), field, text));
    destination.answer = DELIVERED;
    harness.startWorker({ destinations: [destination] });
    await harness.untilLine(destination, { accepted: 1, delivered: 1, parked: 0 });
  });

  test('a stalled job is put back by BullMQ’s check, once its lock was missing at two of them', async () => {
    await harness.park(delivery, DUE);
    await fetchOne();
    await harness.withRedis((redis) => redis.del(`${key(delivery.id)}:lock`));
    expect(await harness.checkStalled()).toBe(0);
    expect(await harness.checkStalled()).toBe(1);
    const job = await harness.store.queue.getJob(delivery.id);
    expect([await job?.getState(), job?.stalledCounter, job?.deferredFailure]).toEqual([
      'waiting',
      1,
      undefined,
    ]);
    expect(await harness.line(destination)).toMatchObject({ accepted: 1, parked: 1, difference: 0 });
  });

  test('marks from before Redis was away count for nothing: the living renew first', async () => {
    await harness.park(delivery, DUE);
    const queue = harness.openQueue();
    const fetched = await harness.fetch(queue);
    if (fetched?.kind !== 'due') throw new Error('nothing was fetched');
    await harness.checkStalled();
    await harness.withRedis(async (redis) => {
      await redis.del(`${key(delivery.id)}:lock`);
      await redis.set(key('stalled-checked'), Date.now() - 3_600_000);
    });
    expect(await harness.checkStalled()).toBe(0);
    expect(await queue.extend([fetched.delivery])).toEqual([]);
    expect(await harness.checkStalled()).toBe(0);
    expect(await harness.withRedis((redis) => redis.pttl(`${key(delivery.id)}:lock`))).toBeGreaterThan(0);
  });

  test('what is active and no record any more is told, not put back', async () => {
    await harness.park(delivery, DUE);
    await fetchOne();
    await harness.withRedis((redis) => redis.del(key(delivery.id), `${key(delivery.id)}:lock`));
    await harness.checkStalled();
    expect(await harness.checkStalled()).toBe(0);
    harness.startWorker({ destinations: [destination] });
    expect(await harness.missing.count(1)).toEqual([delivery.id]);
    expect(await harness.line(destination)).toMatchObject({ accepted: 1, parked: 0, difference: 1 });
  });
});

describe('a retry that is due and waits for a worker', () => {
  test('takes the outcome of the slow direct attempt', async () => {
    const [slow, other] = [delivery, deliveryTo(destination, eventBody(2))];
    await harness.park(other, DUE);
    await harness.park(slow, { ...DUE, reason: 'slow', history: [] });
    // Both enter the line of their destination, one goes on to `active`.
    await fetchOne();
    expect(await (await harness.store.queue.getJob(slow.id))?.getState()).toBe('delayed');
    await harness.parking.failed(slow, { attempt: 1, at: 1, durationMs: 2, outcome: FAILED });
    const job = await harness.store.queue.getJob(slow.id);
    expect([await job?.getState(), job?.delay]).toEqual(['delayed', 1]);
    expect((await harness.store.queue.getJobLogs(slow.id)).count).toBe(1);
    await expectExact();
  });
});
