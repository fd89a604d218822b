import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SqsApi } from '../../../src/sources/sqs/api';
import { IntakeBudget } from '../../../src/sources/sqs/intake-budget';
import { Pollers } from '../../../src/sources/sqs/pollers';
import { Registry } from '../../../src/sources/sqs/registry';
import { deferred } from '../../support/signals/signals';
import type { Measure } from './case';

const COUNT = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;
const names = Array.from({ length: COUNT }, (_, n) => `instance-${n}_messages_upsert`);

/** Finding 10,000 queues of as many instances, and polling each of them once; then dropping half of them. */
export async function sqsQueues(measure: Measure): Promise<number[]> {
  const polled = new Set<string>();
  const all = deferred();
  const budget = new IntakeBudget(250, MAX_BYTES);
  const api: Pick<SqsApi, 'list' | 'receive' | 'abandonReceiving'> = {
    async *list() {
      yield names.map((name) => `http://127.0.0.1/000000000000/${name}`);
    },
    receive: async (url) => {
      polled.add(url);
      if (polled.size === COUNT) all.resolve();
      await nextTurn();
      return [];
    },
    abandonReceiving: () => {},
  };
  const inbox = {
    get free() {
      return budget.free;
    },
    receive: () => {},
    refuse: () => {},
  };
  const pollers = new Pollers({
    api,
    inbox,
    budget,
    maxPolls: 50,
    maxMessages: 250,
    waitSeconds: 1,
    visibilitySeconds: 30,
    onReceived: () => {},
    onGone: () => {},
  });
  const registry = new Registry(
    {
      queueUrls: [],
      templates: ['{instance}_{event}'],
      global: undefined,
      accountId: '',
      discoveryMs: 50,
    },
    { api, onQueues: (queues) => pollers.consume(queues), onSearched: () => {}, warn: () => {} },
  );
  const found = await measure(async () => {
    for (let n = 0; n < COUNT; n++) {
      registry.consumeInstance(`instance-${n}`, 'all');
      if (n % 100 === 0) await nextTurn();
    }
    registry.start();
    await all.promise;
  });
  const dropped = await measure(async () => {
    for (let n = 0; n < COUNT; n += 2) {
      registry.dropInstance(`instance-${n}`);
      if (n % 100 === 0) await nextTurn();
    }
    while (pollers.queueCount > COUNT / 2) await nextTurn();
  });
  registry.stop();
  await pollers.stop();
  return [found, dropped];
}
