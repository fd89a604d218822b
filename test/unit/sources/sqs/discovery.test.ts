import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SqsApi } from '../../../../src/sources/sqs/api';
import { findQueues, stillWanted } from '../../../../src/sources/sqs/discovery';
import type { ConsumedQueue } from '../../../../src/sources/sqs/queue-names';
import { SqsSilentError } from '../../../../src/sources/sqs/sqs-connections';
import { WantedQueues } from '../../../../src/sources/sqs/wanted-queues';

const ACCOUNT = 'http://127.0.0.1/000000000000';

class AccessDenied extends Error {
  readonly code = 'AccessDenied';
}
/** As the SDK throws what it has no class for. */
class InvalidParameter extends Error {
  readonly code = 'InvalidParameterValue';
  readonly $metadata = { httpStatusCode: 400 };
}

function wantedOf(instances: readonly string[]): WantedQueues {
  const wanted = new WantedQueues({
    templates: ['{instance}_{event}', '{instance}_{event}.fifo'],
    global: undefined,
  });
  for (const instance of instances) wanted.want(instance, 'all');
  return wanted;
}

/** A service with these queues, which refuses lists of some prefixes. */
function serviceWith(names: readonly string[], refusals: Readonly<Record<string, Error>> = {}) {
  const asked: string[] = [];
  const api: Pick<SqsApi, 'list'> = {
    async *list(prefix) {
      asked.push(prefix);
      const refusal = refusals[prefix];
      if (refusal !== undefined) throw refusal;
      yield names.filter((name) => name.startsWith(prefix)).map((name) => `${ACCOUNT}/${name}`);
    },
  };
  return { api, asked };
}

const namesOf = (queues: readonly ConsumedQueue[]): string[] => queues.map(({ name }) => name).sort();

/** The longest that the event loop was held up while `work` ran, in milliseconds. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  let isDone = false;
  void work.finally(() => {
    isDone = true;
  });
  let longest = 0;
  for (let last = performance.now(); !isDone; ) {
    await nextTurn();
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}

describe('10,000 instances with two queues each, and as many queues of others (finding 9.2)', () => {
  const instances = Array.from({ length: 10_000 }, (_, n) => `instance-${n}`);
  const names = instances.flatMap((instance) => [
    `${instance}_messages_upsert`,
    `${instance}_call.fifo`,
    `foreign-${instance}_messages_upsert`,
    `${instance}_orders`,
  ]);

  test('each name is looked up a few times, however many instances there are', async () => {
    const wanted = wantedOf(instances);
    const lookUps = jest.spyOn(Map.prototype, 'get');
    try {
      const { queues } = await findQueues({ ...serviceWith(names), wanted, accountId: '', before: [] });
      expect(queues).toHaveLength(20_000);
      // Two templates, and as many lengths of events; 800,000,000 comparisons where each is compared with each.
      expect(lookUps.mock.calls.length / names.length).toBeLessThan(100);
    } finally {
      lookUps.mockRestore();
    }
  });

  test('no turn of the event loop is long', async () => {
    const wanted = wantedOf(instances);
    const { api } = serviceWith(names);
    await findQueues({ api, wanted, accountId: '', before: [] });
    const search = findQueues({ api, wanted, accountId: '', before: [] });
    // 50 ms where nothing else uses the processors; it was 99 s.
    expect(await longestTurn(search)).toBeLessThan(500);
    expect(await longestTurn(stillWanted((await search).queues, wanted))).toBeLessThan(500);
  });
});

describe('a list that is refused (finding 9.7)', () => {
  const before = [
    { url: `${ACCOUNT}/b_call`, name: 'b_call', origin: { routingKey: 'call', instance: 'b' } },
    { url: `${ACCOUNT}/gone_call`, name: 'gone_call', origin: { routingKey: 'call', instance: 'gone' } },
  ];

  test.each([
    ['for want of a permission', new AccessDenied()],
    ['for its prefix', new InvalidParameter()],
  ])('%s ends nothing but itself: the others are found, its own stay', async (_what, refusal) => {
    const wanted = wantedOf(['a', 'b', 'c']);
    const { api } = serviceWith(['a_call', 'b_call', 'c_call'], { b_: refusal });
    const { queues, failures } = await findQueues({ api, wanted, accountId: '', before });
    expect(namesOf(queues)).toEqual(['a_call', 'b_call', 'c_call']);
    expect(failures).toEqual([{ prefix: 'b_', error: refusal }]);
  });

  test('as the service is away ends the search, and what was found before stays', async () => {
    const wanted = wantedOf(['a', 'b', 'c']);
    const { api, asked } = serviceWith(['a_call', 'c_call'], { a_: new SqsSilentError(5000) });
    const { queues, failures } = await findQueues({ api, wanted, accountId: '', before });
    expect([namesOf(queues), asked, failures.length]).toEqual([['b_call'], ['a_'], 1]);
  });
});

test('queues of another account are left alone', async () => {
  const { api } = serviceWith(['a_call']);
  expect(
    await findQueues({ api, wanted: wantedOf(['a']), accountId: '123456789012', before: [] }),
  ).toMatchObject({
    queues: [],
    otherAccounts: ['000000000000'],
  });
});
