import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SqsApi } from '../../../../src/sources/sqs/api';
import { Depths } from '../../../../src/sources/sqs/depths';
import { IntakeBudget } from '../../../../src/sources/sqs/intake-budget';
import { Pollers } from '../../../../src/sources/sqs/pollers';
import { Registry } from '../../../../src/sources/sqs/registry';
import { deferred } from '../../../support/signals/signals';

const COUNT = 10_000;
const names = Array.from({ length: COUNT }, (_, n) => `instance-${n}_messages_upsert`);
/** Ten times what it takes at rest (`npm run bench -- --only turns`), a fraction of what one search took before (finding 9.2). */
const LONGEST_TURN_MS = 1000;

class Denied extends Error {
  readonly code = 'AccessDenied';
}

/** A service with 10,000 queues, of which every tenth may not be polled. */
const api: Pick<SqsApi, 'list' | 'receive' | 'abandonReceiving' | 'attributes'> = {
  async *list() {
    yield names.map((name) => `http://127.0.0.1/000000000000/${name}`);
  },
  receive: async (url) => {
    await nextTurn();
    if (url.includes('7_messages')) throw new Denied();
    return [];
  },
  abandonReceiving: () => {},
  attributes: async () => ({ visible: 0, inFlight: 0, delayed: 0, hasDeadLetterQueue: true }),
};

test('10,000 instances and queues: finding, polling and measuring them hold the event loop up for no time (finding 9.2)', async () => {
  const budget = new IntakeBudget(250, 64 * 1024 * 1024);
  const all = deferred();
  const polled = new Set<string>();
  const pollers = new Pollers({
    api: {
      ...api,
      receive: (url, options) => {
        polled.add(url);
        if (polled.size === COUNT) all.resolve();
        return api.receive(url, options);
      },
    },
    inbox: {
      get free() {
        return budget.free;
      },
      receive: () => {},
      refuse: () => {},
    },
    budget,
    maxPolls: 50,
    maxMessages: 250,
    waitSeconds: 1,
    visibilitySeconds: 30,
    onReceived: () => {},
    onGone: () => {},
  });
  const depths = new Depths(api);
  const registry = new Registry(
    {
      queueUrls: [],
      templates: ['{instance}_{event}'],
      global: undefined,
      accountId: '',
      discoveryMs: 50,
    },
    {
      api,
      onQueues: (queues) => {
        pollers.consume(queues);
        depths.follow(queues);
      },
      onSearched: () => {},
      warn: () => {},
    },
  );
  const turns = watchTurns();
  for (let n = 0; n < COUNT; n++) {
    registry.consumeInstance(`instance-${n}`, 'all');
    if (n % 100 === 0) await nextTurn();
  }
  registry.start();
  await all.promise;
  await depths.read();
  for (let n = 0; n < COUNT; n += 2) {
    registry.dropInstance(`instance-${n}`);
    if (n % 100 === 0) await nextTurn();
  }
  while (pollers.queueCount > COUNT / 2) await nextTurn();
  registry.stop();
  await pollers.stop();
  expect(turns.stop()).toBeLessThan(LONGEST_TURN_MS);
  expect(pollers.queueCount).toBe(COUNT / 2);
}, 60_000);

/**
 * `stop` says how much processor time the longest turn of the event loop took since, in milliseconds: by the clock it
 * would also count what other processes do.
 */
function watchTurns(): { readonly stop: () => number } {
  let longest = 0;
  let last = process.cpuUsage();
  let timer = setImmediate(look);
  function look(): void {
    const { user, system } = process.cpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.cpuUsage();
    timer = setImmediate(look);
  }
  return {
    stop: () => {
      clearImmediate(timer);
      return longest;
    },
  };
}
