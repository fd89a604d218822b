import { StoreHarness } from '../support/harness/store-harness';

let harness: StoreHarness;
beforeEach(async () => {
  harness = await StoreHarness.open();
});
afterEach(() => harness.close());

const ID = 'webhook:global';
const HOUR_MS = 3_600_000;

interface Answer {
  readonly state: string;
  readonly since: string;
  readonly unclean: number;
  readonly generation: string;
  readonly sweep: string;
}

/** A worker is heard of, and says for which generation it holds nothing of before. */
async function heard(worker: string, clean: readonly string[] = []): Promise<Answer> {
  const answers = (await harness.store.call(
    'relayOrder',
    worker,
    ...clean,
  )) as readonly (readonly unknown[])[];
  const [, state, since, , unclean, generation, sweep] = answers[0] ?? [];
  return {
    ...{ state: String(state), since: String(since), unclean: Number(unclean) },
    ...{ generation: String(generation), sweep: String(sweep) },
  };
}

/** The destination is ordered, and these workers may hold messages of before. */
async function ordered(...workers: readonly string[]): Promise<Answer> {
  for (const worker of workers) await heard(worker);
  await harness.store.call('relayOrderJoin', ID);
  const { since } = await heard(workers[0] ?? 'other');
  await harness.store.call('relayOrderDone', ID, since);
  return heard(workers[0] ?? 'other');
}

/** It was not heard of for so long that all it held has gone back. */
const gone = (worker: string): Promise<unknown> =>
  harness.withRedis((redis) =>
    Promise.all(
      ['heard', 'workers'].map((key) => redis.zincrby(`{${harness.prefix}}:order:${key}`, -HOUR_MS, worker)),
    ),
  );

describe('workers that may hold messages of before a destination was ordered', () => {
  test('are those that were heard of since it joined, until each says that it holds none', async () => {
    const { state, unclean, generation } = await ordered('a', 'b');
    expect([state, unclean]).toEqual(['ordered', 2]);
    expect((await heard('a', [ID, 'another'])).unclean).toBe(2);
    expect((await heard('a', [ID, generation])).unclean).toBe(1);
    expect((await heard('b', [ID, generation])).unclean).toBe(0);
  });

  test('one that is gone is one of them until a marker has passed that was sent afterwards', async () => {
    const { generation } = await ordered('a', 'b');
    expect((await heard('a', [ID, generation])).sweep).toBe('');
    await gone('b');
    const { sweep, unclean } = await heard('a');
    expect([Number(sweep) > 0, unclean]).toEqual([true, 1]);
    // One worker sends the marker.
    expect((await heard('c')).sweep).toBe('');
    await harness.store.call('relayOrderSwept', ID, '1');
    expect((await heard('a')).generation).toBe(generation);
    await harness.store.call('relayOrderSwept', ID, sweep);
    // What it held is held by those that live.
    const swept = await heard('a', [ID, generation]);
    expect(swept.unclean).toBe(2);
    expect(Number(swept.generation)).toBeGreaterThanOrEqual(Number(generation));
    expect((await heard('a', [ID, swept.generation])).unclean).toBe(1);
    expect(await heard('c', [ID, swept.generation])).toMatchObject({ unclean: 0, sweep: '' });
  });

  test.each([
    ['a marker that may have got lost is sent again, and either of the two will do', -61_000],
    ['so it is where the clock of Redis was set back since it was sent', HOUR_MS],
  ])('%s', async (_what, shiftMs) => {
    await ordered('a', 'b');
    await gone('b');
    const { sweep } = await heard('a');
    await harness.withRedis(async (redis) => {
      const key = `{${harness.prefix}}:order:sweep`;
      const [began, sent, names] = String(await redis.hget(key, ID)).split(' ');
      await redis.hset(key, ID, `${began} ${Number(sent) + shiftMs} ${names}`);
    });
    expect((await heard('a')).sweep).toBe(sweep);
    expect((await heard('a')).sweep).toBe('');
    await harness.store.call('relayOrderSwept', ID, sweep);
    expect((await heard('a')).generation).not.toBe(sweep);
    const names = await harness.withRedis((redis) =>
      redis.smembers(`{${harness.prefix}}:order:unclean:${ID}`),
    );
    expect(names).toEqual(['a']);
  });

  test('ordered anew, it begins anew', async () => {
    const first = await ordered('a', 'b');
    await gone('b');
    const { sweep } = await heard('a');
    await harness.store.call('relayOrderSwept', ID, sweep);
    await harness.store.call('relayOrderAnew');
    const { since } = await heard('a');
    await harness.store.call('relayOrderDone', ID, since);
    const anew = await heard('a');
    expect(anew.generation).toBe(anew.since);
    expect([anew.state, Number(anew.since) >= Number(first.since)]).toEqual(['ordered', true]);
  });
});
