import { type DestinationId, destinationKey } from '../../../src/pipeline/delivery';
import { HealthHarness } from '../../support/harness/health-harness';
import { DELIVERED, FAILED, INTERRUPTED, REJECTED } from '../../support/harness/pipeline-harness';
import { type Deferred, deferred, turns } from '../../support/signals/signals';

const ID = 'webhook:global' as DestinationId;
const OTHER = { kind: 'rejected', code: 'HTTP_401', status: 401 } as const;

/** A Redis that takes down what it is asked, and answers when the test lets it. */
class AskedStore {
  isReady = true;
  isFailing = false;
  readonly asked: string[] = [];
  held: Deferred<void> | undefined;

  async call(script: string, ...args: readonly unknown[]): Promise<unknown> {
    if (script === 'relayHealthSince') return [1, 0];
    this.asked.push(script);
    await this.held?.promise;
    if (this.isFailing) throw new Error('away');
    if (script === 'relayRejectingOver') return [1, 5000];
    const [, id, , code, status, address, print] = args;
    return [1, JSON.stringify({ id, state: 'rejecting', since: 1, code, status, address, print })];
  }
}

let store: AskedStore;
let now: number;
let worker: HealthHarness;
beforeEach(() => {
  store = new AskedStore();
  now = 0;
  worker = new HealthHarness(store, { now: () => now });
});

/** Enough of them to say so. */
async function reject(outcome: typeof REJECTED | typeof OTHER = REJECTED): Promise<void> {
  for (let count = 0; count < 3; count++) {
    worker.attempt(ID, outcome);
    now += 5000;
  }
  await turns();
}

test('what a destination rejects over and over is said once, with its answer and its address', async () => {
  await reject();
  await reject();
  expect(store.asked).toEqual(['relayRejecting']);
  expect(worker.log.all).toEqual(['rejecting HTTP_404 404 http://receiver.test/hook']);
  expect(worker.board.records).toMatchObject([{ id: ID, state: 'rejecting', code: 'HTTP_404', status: 404 }]);
  expect(worker.board.counts).toEqual({ failing: 0, suspended: 0, rejecting: 1 });
});

test('one delivery in between begins the count anew; failures and interruptions do not', async () => {
  for (const outcome of [REJECTED, REJECTED, DELIVERED, REJECTED, FAILED, INTERRUPTED, REJECTED]) {
    worker.attempt(ID, outcome);
    now += 20_000;
  }
  await turns();
  expect(store.asked).toEqual([]);
  worker.attempt(ID, REJECTED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting']);
});

test('the first delivery ends it, however many follow at once', async () => {
  await reject();
  for (let count = 0; count < 100; count++) worker.attempt(ID, DELIVERED);
  await turns();
  worker.attempt(ID, DELIVERED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting', 'relayRejectingOver']);
  expect(worker.log.all.at(-1)).toBe('rejecting over: delivered http://receiver.test/hook');
  expect(worker.board.records).toEqual([]);
});

test('a delivery that ends while the first is being written ends it', async () => {
  store.held = deferred();
  await reject();
  worker.attempt(ID, DELIVERED);
  store.held.resolve();
  await turns(10);
  expect(store.asked).toEqual(['relayRejecting', 'relayRejectingOver']);
});

test('the end that could not be written is written once Redis answers', async () => {
  await reject();
  store.isFailing = true;
  worker.attempt(ID, DELIVERED);
  await turns();
  store.isFailing = false;
  store.isReady = false;
  worker.attempt(ID, DELIVERED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting', 'relayRejectingOver']);
  store.isReady = true;
  await worker.board.poll();
  await turns();
  expect(store.asked).toEqual(['relayRejecting', 'relayRejectingOver', 'relayRejectingOver']);
  expect(worker.board.records).toEqual([]);
});

test('while Redis is away nothing is asked of it, and what was counted is said later', async () => {
  store.isReady = false;
  await reject();
  await reject();
  expect(store.asked).toEqual([]);
  store.isReady = true;
  worker.attempt(ID, REJECTED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting']);
});

test('where Redis refuses to write it, it is asked again after as many rejections', async () => {
  store.isFailing = true;
  await reject();
  worker.attempt(ID, REJECTED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting']);
  await reject();
  expect(store.asked).toEqual(['relayRejecting', 'relayRejecting']);
});

test('what one address rejected says nothing of another one, nor of one that is removed', async () => {
  worker.attempt(ID, REJECTED);
  worker.endpoint = { shown: 'http://receiver.test/other', print: 'bbbb' };
  now += 20_000;
  worker.attempt(ID, REJECTED);
  worker.attempt(ID, REJECTED);
  await turns();
  expect(store.asked).toEqual([]);
  await reject();
  expect(worker.log.all).toEqual(['rejecting HTTP_404 404 http://receiver.test/other']);
  worker.attempt(ID, DELIVERED);
  await turns();
  worker.attempt(ID, REJECTED);
  worker.endpoint = undefined;
  now += 20_000;
  worker.attempt(ID, REJECTED);
  worker.attempt(ID, REJECTED);
  await turns();
  expect(store.asked).toEqual(['relayRejecting', 'relayRejectingOver']);
});

test('another answer is shown once it has come as often in a row', async () => {
  await reject();
  for (let count = 0; count < 10; count++) {
    worker.attempt(ID, count % 2 === 0 ? OTHER : REJECTED);
    now += 20_000;
  }
  await turns();
  expect(store.asked).toHaveLength(1);
  await reject(OTHER);
  expect(worker.rejections.recordOf(ID)).toMatchObject({ code: 'HTTP_401', status: 401 });
});

test('where it fails or is suspended that is said of it, and it is counted once', async () => {
  const record = (state: string): string => JSON.stringify({ id: ID, state, since: 1 });
  const suspended = new HealthHarness({
    isReady: true,
    call: async () => [1, 1, destinationKey(ID), record('suspended'), 5000, record('rejecting')],
  });
  await suspended.board.poll();
  expect(suspended.board.records.map(({ state }) => state)).toEqual(['suspended']);
  expect(suspended.board.counts).toEqual({ failing: 0, suspended: 1, rejecting: 0 });
});

test('of more destinations than are counted at once those that rejected something longest ago are counted anew', async () => {
  const id = (number: number): DestinationId => `webhook:instance/${number}` as DestinationId;
  for (let number = 0; number <= 10_000; number++) worker.attempt(id(number), REJECTED);
  now += 20_000;
  for (const number of [0, 0, 10_000, 10_000]) worker.attempt(id(number), REJECTED);
  await turns();
  expect(worker.log.all).toEqual(['rejecting HTTP_404 404 http://receiver.test/hook']);
  expect(worker.rejections.recordOf(id(10_000))).toBeDefined();
});
