import type { Lines } from '../../../src/retry/lines';
import type { RetryHandler } from '../../../src/retry/retry-handler';
import { RetryWorker } from '../../../src/retry/retry-worker';
import { deferred } from '../../support/signals/signals';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const NOTHING = { taken: [], left: [], lines: [], missing: [], nextInMs: undefined };

/** A worker with one line, of which nothing may be taken now but for `due` at first; their attempts go on until `finish`. */
function setup(due = 0) {
  let asked = 0;
  let wake = (): void => {};
  const finished = deferred();
  const taken = Array.from({ length: due }, (_, number) => ({
    kind: 'due',
    delivery: { id: `dlv_key-${number}`, token: 'token', data: { b: '', l: 0 } },
  }));
  const handler = {
    onRoom: (listener: () => void) => {
      wake = listener;
    },
    drain: () => {},
    process: () => finished.promise,
    idle: () => Promise.resolve(),
  };
  const queue = {
    next: () => {
      asked++;
      return Promise.resolve({ ...NOTHING, taken: taken.splice(0) });
    },
    extend: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
  const lines = {
    isEmpty: false,
    choose: () => Promise.resolve({ wishes: new Map(), putOff: new Map() }),
    learn: () => false,
    begin: () => [],
    begun: () => {},
    end: () => {},
  };
  const worker = new RetryWorker({
    store: { isReady: true },
    queue: queue as never,
    lines: lines as unknown as Lines,
    handler: handler as unknown as RetryHandler,
    concurrency: 10,
    freshAt: () => Number.NEGATIVE_INFINITY,
    maxBytes: 1000,
    onError: (error) => {
      throw error;
    },
  });
  return { worker, wake: () => wake(), asked: () => asked, finish: finished.resolve };
}

async function end(worker: RetryWorker): Promise<void> {
  const closing = worker.close();
  await jest.advanceTimersByTimeAsync(1000);
  await closing;
}

test('where something ends it is asked at once for what follows, as the next one of a lane', async () => {
  const { worker, wake, asked } = setup();
  worker.start();
  await jest.advanceTimersByTimeAsync(100);
  expect(asked()).toBe(1);
  wake();
  await jest.advanceTimersByTimeAsync(1);
  expect(asked()).toBe(2);
  await end(worker);
});

test('for what ends at about the same time it is asked once', async () => {
  const { worker, wake, asked } = setup();
  worker.start();
  await jest.advanceTimersByTimeAsync(100);
  for (let ended = 0; ended < 8; ended++) {
    wake();
    await jest.advanceTimersByTimeAsync(1);
  }
  expect(asked()).toBe(2);
  await jest.advanceTimersByTimeAsync(5);
  expect(asked()).toBe(3);
  await end(worker);
});

test('while others are under way it waits for those that end soon: what is taken together is what a limit grows by', async () => {
  const { worker, wake, asked, finish } = setup(3);
  worker.start();
  await jest.advanceTimersByTimeAsync(100);
  const before = asked();
  wake();
  await jest.advanceTimersByTimeAsync(9);
  expect(asked()).toBe(before);
  await jest.advanceTimersByTimeAsync(1);
  expect(asked()).toBe(before + 1);
  finish();
  await end(worker);
});
