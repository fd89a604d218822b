import type { HttpExchange, HttpResult } from '../../../../src/destinations/http/exchange';
import { BatchEntry, SharedRequest } from '../../../../src/destinations/pusher/batch-entry';
import type { AbortReason, Outcome } from '../../../../src/pipeline/delivery';

const TIMEOUT_MS = 1000;
const DELIVERED: Outcome = { kind: 'delivered' };
const LATE: Outcome = { kind: 'failed', code: 'TIMEOUT', overloaded: true };
const NOT_SENT: Outcome = { kind: 'interrupted', code: 'NOT_SENT' };
const SHUTDOWN: Outcome = { kind: 'interrupted', code: 'SHUTDOWN' };

/** A request that is never answered, for so many events. */
function requestFor(events: number) {
  const aborts: AbortReason[] = [];
  let looks = 0;
  const exchange = {
    isAnswered: false,
    abort: (reason: AbortReason) => aborts.push(reason),
    look: () => looks++,
  } as unknown as HttpExchange<HttpResult>;
  return { shared: new SharedRequest(exchange, events, TIMEOUT_MS), aborts, looks: () => looks };
}

function setup() {
  const withdrawn: BatchEntry[] = [];
  const entry = new BatchEntry({ channel: 'c', name: 'call', data: '{}' }, 0, {
    timeoutMs: TIMEOUT_MS,
    withdraw: (each) => withdrawn.push(each),
  });
  return { entry, withdrawn };
}

describe('an event on its way to Pusher', () => {
  test.each<[AbortReason, Outcome]>([
    ['timeout', NOT_SENT],
    ['shutdown', SHUTDOWN],
  ])('waiting: %s takes it out of its line, and it was never tried', async (reason, outcome) => {
    const { entry, withdrawn } = setup();
    entry.abort(reason);
    expect(withdrawn).toEqual([entry]);
    expect([entry.isOpen, await entry.outcome]).toEqual([false, outcome]);
  });

  test('waiting: it has its time in line from the first look on', async () => {
    const { entry } = setup();
    entry.look(5000);
    entry.look(5000 + TIMEOUT_MS - 1);
    expect(entry.isOpen).toBe(true);
    entry.look(5000 + TIMEOUT_MS);
    expect(await entry.outcome).toEqual(NOT_SENT);
  });

  test('waiting: no request of its own can end undecided', async () => {
    const { entry, withdrawn } = setup();
    entry.unshare();
    entry.abort('timeout');
    expect([withdrawn.length, await entry.outcome]).toEqual([1, NOT_SENT]);
  });

  test.each<[AbortReason, Outcome]>([
    ['timeout', LATE],
    ['shutdown', SHUTDOWN],
  ])('sharing: %s lets it leave a request that others still wait for', async (reason, outcome) => {
    const { entry, withdrawn } = setup();
    const { shared, aborts } = requestFor(2);
    entry.share(shared);
    entry.abort(reason);
    expect([aborts, withdrawn]).toEqual([[], []]);
    expect(await entry.outcome).toEqual(outcome);
  });

  test('sharing: the last one that waits ends with the request, which is cut off', async () => {
    const { entry } = setup();
    const { shared, aborts } = requestFor(1);
    entry.share(shared);
    entry.abort('timeout');
    expect([aborts, entry.isOpen]).toEqual([['timeout'], true]);
    entry.end(LATE);
    expect(await entry.outcome).toEqual(LATE);
  });

  test('sharing: the request is looked at, and the time in line counts no more', () => {
    const { entry, withdrawn } = setup();
    const { shared, looks } = requestFor(2);
    entry.look(0);
    entry.share(shared);
    entry.look(TIMEOUT_MS);
    expect([looks(), withdrawn, entry.isOpen]).toEqual([1, [], true]);
  });

  test('undecided: an abort ends it as one that was tried, and it shares the next request otherwise', async () => {
    const [aborted, sent] = [setup(), setup()];
    for (const { entry } of [aborted, sent]) {
      entry.share(requestFor(2).shared);
      entry.unshare();
      entry.look(10 * TIMEOUT_MS);
    }
    aborted.entry.abort('timeout');
    expect([aborted.withdrawn, await aborted.entry.outcome]).toEqual([[], LATE]);
    sent.entry.share(requestFor(1).shared);
    sent.entry.end(DELIVERED);
    expect(await sent.entry.outcome).toEqual(DELIVERED);
  });

  test('ended: nothing changes it any more', async () => {
    const { entry, withdrawn } = setup();
    const { shared, aborts, looks } = requestFor(2);
    entry.end(DELIVERED);
    entry.share(shared);
    entry.unshare();
    entry.look(10 * TIMEOUT_MS);
    entry.abort('timeout');
    entry.end(LATE);
    expect([withdrawn, aborts, looks(), entry.isOpen]).toEqual([[], [], 0, false]);
    expect(await entry.outcome).toEqual(DELIVERED);
  });
});
