import { StoreUnavailableError } from '../../../src/errors';
import { GroupCommit } from '../../../src/retry/group-commit';
import { NotStoredError, type Step } from '../../../src/retry/retry-store';
import { turns } from '../../support/signals/signals';
import { refusal } from '../../support/values/refusal';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** A Redis that refuses some changes by name and stores the others of the same transaction. */
function setup() {
  const refused = new Set<string>();
  const sent: string[][] = [];
  const state = { isAway: false, losesAnswers: false, isShortOfMemory: false };
  const write = async (steps: readonly Step[]): Promise<void> => {
    if (state.isAway) throw new StoreUnavailableError('Redis is away');
    sent.push(steps.map(({ script }) => script));
    if (state.losesAnswers) {
      for (const step of steps) step.wasSent = true;
      throw new StoreUnavailableError('no answer');
    }
    const errors = steps.flatMap(({ script }, index) =>
      refused.has(script) ? [[index, refusal('WRONGTYPE')] as const] : [],
    );
    if (errors.length > 0) throw new NotStoredError(new Map(errors));
  };
  const commit = new GroupCommit({ write }, () => {});
  const prepared: string[] = [];
  const change = (
    name: string,
    group?: string,
    isWithdrawn = (): boolean => false,
  ): Promise<'stored' | 'withdrawn'> =>
    commit.commit({
      bytes: 100,
      group,
      isWithdrawn,
      prepare: () => {
        if (state.isShortOfMemory && group !== undefined)
          throw new RangeError('Array buffer allocation failed');
        prepared.push(name);
        return { script: name, args: [], number: 1, wasSent: false, reply: undefined };
      },
    });
  return { refused, sent, state, prepared, change, commit };
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

/** How many calls go to Redis until all of these are stored, while no time passes. */
async function callsUntilStored(
  { sent }: Pick<ReturnType<typeof setup>, 'sent'>,
  ask: () => readonly Promise<unknown>[],
): Promise<number | 'never'> {
  const before = sent.length;
  let calls: number | 'never' = 'never';
  void Promise.all(ask()).then(() => {
    calls = sent.length - before;
  });
  await turns(200);
  return calls;
}

describe.each([200, 1000, 5000])('%d changes that Redis refuses', (count) => {
  test.each([
    ['small', undefined],
    ['with a body, of the same instance', 'group'],
  ])('do not stand before what comes later: %s', async (_what, group) => {
    const relay = setup();
    const { refused, change } = relay;
    for (const name of names('bad', count)) refused.add(name);
    const ended = Promise.all(names('bad', count).map((name) => change(name, group)));
    for (let round = 0; round < 20; round++) {
      await pass(700);
      const calls = await callsUntilStored(relay, () => [change(`good${round}`, group)]);
      expect(calls).toBe(1);
    }
    refused.clear();
    await pass(5000);
    await expect(ended).resolves.toHaveLength(count);
  });

  test('are tried once before what was asked for after them, without a pause', async () => {
    const relay = setup();
    for (const name of names('bad', count)) relay.refused.add(name);
    const calls = await callsUntilStored(relay, () => {
      for (const name of names('bad', count)) void relay.change(name);
      return [relay.change('good')];
    });
    expect(calls).toBeLessThanOrEqual(Math.ceil((count + 1) / 64));
    relay.refused.clear();
    await pass(5000);
  });

  test('are asked for again at a pace of their own, and all in turn', async () => {
    const { refused, sent, change } = setup();
    for (const name of names('bad', count)) refused.add(name);
    for (const name of names('bad', count)) void change(name);
    await turns(200);
    sent.length = 0;
    await pass(60_000);
    expect(sent.length).toBeLessThanOrEqual(36);
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(64);
    const again = sent.flat();
    expect(new Set(again).size).toBe(Math.min(count, again.length));
    refused.clear();
    await pass(5000);
  });
});

test('what Redis refused before it was away does not stand before others after it, either', async () => {
  const relay = setup();
  const { refused, state, change } = relay;
  for (const name of names('bad', 200)) refused.add(name);
  state.isAway = true;
  const ended = Promise.all(names('bad', 200).map((name) => change(name)));
  await pass(20_000);
  state.isAway = false;
  await pass(2000);
  expect(await callsUntilStored(relay, () => [change('good')])).toBe(1);
  refused.clear();
  await pass(5000);
  await expect(ended).resolves.toHaveLength(200);
});

test('what Redis refuses is not asked for in a tight loop, whatever others store meanwhile', async () => {
  const { refused, sent, change } = setup();
  refused.add('bad');
  void change('bad');
  for (let round = 0; round < 100; round++) {
    void change(`good${round}`);
    await turns();
    await pass(10);
  }
  expect(sent.flat().filter((name) => name === 'bad').length).toBeLessThanOrEqual(12);
  refused.clear();
  await pass(5000);
});

test('what is made of a change that Redis refused is not kept: it is made anew for one call at a time', async () => {
  const { refused, prepared, change } = setup();
  for (const name of names('bad', 1000)) refused.add(name);
  for (const name of names('bad', 1000)) void change(name, 'group');
  await turns(200);
  expect(prepared).toHaveLength(1000);
  prepared.length = 0;
  await pass(100);
  expect(prepared).toHaveLength(64);
  await pass(60_000);
  expect(prepared.length).toBeLessThanOrEqual(36 * 64);
  refused.clear();
  await pass(5000);
});

test('a change that may be stored is sent as it was, though Redis refuses it since', async () => {
  const { refused, state, prepared, change } = setup();
  state.losesAnswers = true;
  const stored = change('bad');
  await turns();
  state.losesAnswers = false;
  refused.add('bad');
  await pass(5000);
  refused.clear();
  await pass(5000);
  await expect(stored).resolves.toBe('stored');
  expect(prepared).toEqual(['bad']);
});

test('one that is withdrawn after Redis refused it is not sent again, and ends with the next turn of any', async () => {
  const { refused, sent, change } = setup();
  const withdrawn = new Set<string>();
  for (const name of names('bad', 500)) refused.add(name);
  const all = names('bad', 500).map((name) => change(name, undefined, () => withdrawn.has(name)));
  await turns(50);
  sent.length = 0;
  withdrawn.add('bad499');
  await pass(100);
  await expect(all.at(-1)).resolves.toBe('withdrawn');
  await pass(60_000);
  expect(sent.flat()).not.toContain('bad499');
  refused.clear();
  await pass(5000);
});

test('a change that cannot be prepared stands before no other one', async () => {
  const relay = setup();
  const { state, change } = relay;
  state.isShortOfMemory = true;
  const large = Promise.all(names('large', 200).map((name) => change(name, 'group')));
  await pass(3000);
  expect(await callsUntilStored(relay, () => [change('good')])).toBe(1);
  state.isShortOfMemory = false;
  await pass(5000);
  await expect(large).resolves.toHaveLength(200);
});

test('close rejects what was refused, and what is refused while it is under way', async () => {
  const { refused, commit, change } = setup();
  refused.add('before').add('under way');
  const before = change('before');
  await turns();
  const underWay = change('under way');
  await turns(1);
  commit.close();
  for (const each of [before, underWay]) await expect(each).rejects.toBeInstanceOf(StoreUnavailableError);
  await pass(5000);
  expect(jest.getTimerCount()).toBe(0);
});
