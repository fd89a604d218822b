import type { SqsApi } from '../../../../src/sources/sqs/api';
import { Registry, type RegistryOptions } from '../../../../src/sources/sqs/registry';
import { deferred, Happenings } from '../../../support/signals/signals';

const ACCOUNT = 'http://127.0.0.1/000000000000';
let registry: Registry;
afterEach(() => registry.stop());

function setup(list: SqsApi['list'], options: Partial<RegistryOptions> = {}) {
  const announced = new Happenings<string>();
  const warned: string[] = [];
  registry = new Registry(
    {
      queueUrls: [],
      templates: ['{instance}_{event}'],
      global: undefined,
      accountId: '',
      discoveryMs: 10,
      ...options,
    },
    {
      api: { list },
      onSearched: () => {},
      onQueues: (queues) => announced.add(queues.map(({ name }) => name).join(',')),
      warn: (key) => void warned.push(key),
    },
  );
  return { announced, warned };
}

const found = (...names: string[]): SqsApi['list'] =>
  async function* (prefix) {
    yield names.filter((name) => name.startsWith(prefix)).map((name) => `${ACCOUNT}/${name}`);
  };

test.each(['', 'a b', '日本', '\ud800', 'x'.repeat(90), '../..'])(
  'an instance named %j is left out alone, and warned of once (findings 9.7 and 9.8)',
  async (odd) => {
    const { announced, warned } = setup(found('well_call'));
    for (const instance of [odd, 'well', odd]) registry.consumeInstance(instance, 'all');
    registry.start();
    await announced.count(1);
    expect([announced.all[0], registry.impossibleCount, warned]).toEqual(['well_call', 1, ['name']]);
    registry.dropInstance(odd);
    registry.dropInstance('nobody');
    expect(registry.impossibleCount).toBe(0);
  },
);

test('queues of an instance that is dropped are left also where the service does not answer', async () => {
  let isAway = false;
  const { announced } = setup(async function* (prefix) {
    if (isAway) throw new Error('away');
    yield* found('a_call', 'b_call')(prefix);
  });
  for (const instance of ['a', 'b']) registry.consumeInstance(instance, 'all');
  registry.start();
  await announced.count(1);
  isAway = true;
  registry.dropInstance('a');
  while (announced.all.at(-1) !== 'b_call') await announced.count(announced.all.length + 1);
});

test('stopped while it searches, it announces nothing any more', async () => {
  const answer = deferred();
  const { announced } = setup(async function* (prefix) {
    await answer.promise;
    yield* found('a_call')(prefix);
  });
  registry.consumeInstance('a', 'all');
  registry.start();
  registry.stop();
  answer.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  expect(announced.all).toEqual([]);
});

test('a queue that is gone leaves at once, and joins again when it is found again', async () => {
  const { announced } = setup(found('a_call', 'b_call'));
  for (const instance of ['a', 'b']) registry.consumeInstance(instance, 'all');
  registry.start();
  await announced.count(1);
  registry.drop({ url: `${ACCOUNT}/a_call`, name: 'a_call', origin: { routingKey: 'call' } });
  expect(announced.all.at(-1)).toBe('b_call');
  while (announced.all.at(-1) !== 'a_call,b_call') await announced.count(announced.all.length + 1);
});
