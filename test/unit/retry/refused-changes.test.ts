import { StoreUnavailableError } from '../../../src/errors';
import { GroupCommit } from '../../../src/retry/group-commit';
import { NotStoredError, type Step } from '../../../src/retry/retry-store';
import { turns } from '../../support/signals/signals';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

/** A Redis that refuses some changes by name and stores the others of the same transaction. */
function setup() {
  const refused = new Set<string>();
  const sent: string[][] = [];
  const state = { isAway: false };
  const write = async (steps: readonly Step[]): Promise<void> => {
    if (state.isAway) throw new StoreUnavailableError('Redis is away');
    sent.push(steps.map(({ script }) => script));
    const unresolved = steps.flatMap(({ script }, index) => (refused.has(script) ? [index] : []));
    if (unresolved.length > 0) throw new NotStoredError(new Set(unresolved), new Error('WRONGTYPE'));
  };
  const commit = new GroupCommit({ write }, () => {});
  const prepared: string[] = [];
  const change = (name: string, group?: string): Promise<'stored' | 'withdrawn'> =>
    commit.commit({
      bytes: 100,
      group,
      prepare: () => {
        prepared.push(name);
        return { script: name, args: [], number: 1, wasSent: false, reply: undefined };
      },
    });
  return { refused, sent, state, prepared, change };
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test.each([
  ['many changes that Redis refuses keep others waiting for no longer than a few seconds', 0],
  ['so it is after it was away, too', 20_000],
])('%s', async (_what, awayMs) => {
  const { refused, state, change } = setup();
  state.isAway = awayMs > 0;
  const bad = names('bad', 200);
  for (const name of bad) refused.add(name);
  const ended = Promise.all(bad.map((name) => change(name)));
  await pass(awayMs);
  state.isAway = false;
  await pass(10_000);
  for (let round = 0; round < 5; round++) {
    const stored = jest.fn();
    void Promise.all(names(`good${round}-`, 100).map((name) => change(name))).then(stored);
    await turns();
    await pass(5000);
    expect(stored).toHaveBeenCalled();
  }
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
});

test('of changes with a body no more than some transactions are prepared while all of them are refused', async () => {
  const { refused, prepared, change } = setup();
  const bad = names('bad', 1000);
  for (const name of bad) refused.add(name);
  for (const name of bad) void change(name, 'group');
  await pass(60_000);
  expect(prepared.length).toBeLessThanOrEqual(4 * 64);
  refused.clear();
  await pass(10_000);
});
