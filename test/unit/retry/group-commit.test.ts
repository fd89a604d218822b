import { StoreUnavailableError } from '../../../src/errors';
import { GroupCommit } from '../../../src/retry/group-commit';
import type { Change } from '../../../src/retry/pending-change';
import type { RetryStore, Step } from '../../../src/retry/retry-store';
import { type Deferred, deferred, turns } from '../../support/signals/signals';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

interface Sent extends Deferred<void> {
  readonly names: string[];
}

function setup({ manual = false } = {}) {
  const sent: Sent[] = [];
  const unavailable: unknown[] = [];
  let away = false;
  let refused: string | undefined;
  let mayBeStored = false;
  const store = {
    write: (steps: readonly Step[]): Promise<void> => {
      const transaction = { names: [] as string[], ...deferred() };
      for (const step of steps) {
        transaction.names.push(step.script);
        step.wasSent = mayBeStored;
      }
      sent.push(transaction);
      const fails = away || (refused !== undefined && transaction.names.includes(refused));
      if (fails) transaction.reject(new StoreUnavailableError('away'));
      else if (!manual) transaction.resolve();
      return transaction.promise;
    },
  } as unknown as RetryStore;
  const commit = new GroupCommit(store, (error) => unavailable.push(error));
  const change = (name: string, others: Partial<Change> = {}): Promise<'stored' | 'withdrawn'> =>
    commit.commit({
      bytes: 100,
      prepare: () => ({ script: name, args: [], number: 1, wasSent: false, reply: undefined }),
      ...others,
    });
  return {
    commit,
    change,
    sent,
    unavailable,
    goAway: (isAway: boolean) => {
      away = isAway;
    },
    loseAnswers: () => {
      mayBeStored = true;
    },
    refuse: (name: string) => {
      refused = name;
    },
  };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('GroupCommit', () => {
  test('sends what is asked for in one turn as one transaction, in order', async () => {
    const { change, sent } = setup();
    await expect(Promise.all(['a', 'b', 'c'].map((name) => change(name)))).resolves.toEqual([
      'stored',
      'stored',
      'stored',
    ]);
    expect(sent.map(({ names }) => names)).toEqual([['a', 'b', 'c']]);
  });

  test('gathers what comes while a transaction is under way into the next one', async () => {
    const { change, sent } = setup({ manual: true });
    const first = change('a');
    await turns();
    const rest = [change('b'), change('c')];
    await turns();
    expect(sent).toHaveLength(1);
    sent[0]?.resolve();
    await first;
    await turns();
    sent[1]?.resolve();
    await Promise.all(rest);
    expect(sent.map(({ names }) => names)).toEqual([['a'], ['b', 'c']]);
  });

  test('what fills several transactions goes out at once, but no more than three', async () => {
    const { change, sent } = setup({ manual: true });
    const all = Array.from({ length: 300 }, (_, index) => change(String(index)));
    await turns();
    expect(sent.map(({ names }) => names.length)).toEqual([64, 64, 64]);
    sent[1]?.resolve();
    await turns();
    expect(sent.map(({ names }) => names.length)).toEqual([64, 64, 64, 64]);
    for (const index of [0, 2, 3]) sent[index]?.resolve();
    await turns();
    expect(sent.map(({ names }) => names.length)).toEqual([64, 64, 64, 64, 44]);
    sent[4]?.resolve();
    await Promise.all(all);
    expect(sent.flatMap(({ names }) => names)).toEqual(all.map((_, index) => String(index)));
  });

  test('a change is prepared once, also where another one of its transaction could not be prepared', async () => {
    const { change, sent } = setup();
    const step: Step = { script: 'slow', args: [], number: 1, wasSent: false, reply: undefined };
    const [slow, prepare] = [deferred(), jest.fn()];
    prepare.mockImplementation(() => slow.promise.then(() => step));
    const failing = jest
      .fn(() => ({ ...step, script: 'failing' }))
      .mockImplementationOnce(() => {
        throw new RangeError('out of memory');
      });
    const both = [change('failing', { prepare: failing }), change('slow', { prepare })];
    await turns();
    await pass(5000);
    slow.resolve();
    await turns();
    await pass(5000);
    await Promise.all(both);
    expect(prepare).toHaveBeenCalledTimes(1);
    expect(sent.flatMap(({ names }) => names).sort()).toEqual(['failing', 'slow']);
  });

  test('bounds a transaction in count and in bytes', async () => {
    const { change, sent } = setup();
    await Promise.all(Array.from({ length: 600 }, (_, index) => change(String(index))));
    expect(Math.max(...sent.map(({ names }) => names.length))).toBeLessThanOrEqual(256);
    expect(sent.flatMap(({ names }) => names)).toHaveLength(600);
    sent.length = 0;
    await Promise.all(Array.from({ length: 6 }, (_, index) => change(String(index), { bytes: 5_000_000 })));
    expect(Math.max(...sent.map(({ names }) => names.length))).toBeLessThanOrEqual(2);
  });

  test('a burst of large changes of one group keeps those of others waiting for a transaction, and no longer', async () => {
    const { change, sent } = setup({ manual: true });
    const burst = Array.from({ length: 200 }, (_, index) =>
      change(`burst-${index}`, { bytes: 1_000_000, group: 'burst' }),
    );
    await turns();
    const others = [change('other', { group: 'other' }), change('step')];
    const under = sent.length;
    for (const each of sent) each.resolve();
    await turns();
    expect(sent[under]?.names).toEqual(expect.arrayContaining(['other', 'step']));
    for (let index = under; index < sent.length; index++) {
      sent[index]?.resolve();
      await turns();
    }
    await Promise.all([...burst, ...others]);
    const ofBurst = sent.flatMap(({ names }) => names).filter((name) => name.startsWith('burst'));
    expect(ofBurst).toEqual(burst.map((_, index) => `burst-${index}`));
  });

  test('keeps trying while the store is away, and tells of it; each change is stored once', async () => {
    const { change, sent, unavailable, goAway } = setup();
    goAway(true);
    const changes = Promise.all(['a', 'b', 'c'].map((name) => change(name)));
    await turns();
    await pass(20_000);
    expect(unavailable.length).toBeGreaterThan(5);
    expect(unavailable.length).toBeLessThan(20);
    goAway(false);
    sent.length = 0;
    await pass(2000);
    expect(await changes).toEqual(['stored', 'stored', 'stored']);
    expect(sent.flatMap(({ names }) => names).sort()).toEqual(['a', 'b', 'c']);
  });

  test('a change that is withdrawn before it is sent is not sent', async () => {
    const { change, sent, goAway } = setup();
    goAway(true);
    let withdrawn = false;
    const both = Promise.all([change('a', { isWithdrawn: () => withdrawn }), change('b')]);
    await turns();
    withdrawn = true;
    goAway(false);
    sent.length = 0;
    await pass(5000);
    expect(await both).toEqual(['withdrawn', 'stored']);
    expect(sent.flatMap(({ names }) => names)).toEqual(['b']);
  });

  test('a change that may be stored already is not withdrawn any more: its job would be made again', async () => {
    const { change, goAway, loseAnswers } = setup();
    goAway(true);
    loseAnswers();
    let withdrawn = false;
    const sent = change('a', { isWithdrawn: () => withdrawn });
    await turns();
    withdrawn = true;
    goAway(false);
    await pass(5000);
    expect(await sent).toBe('stored');
  });

  test('one change that the store refuses does not keep the others from being stored', async () => {
    const { change, refuse } = setup();
    refuse('bad');
    const bad = change('bad');
    const others = Promise.all(Array.from({ length: 20 }, (_, index) => change(String(index))));
    const fresh = change('fresh');
    await turns();
    await pass(600_000);
    await expect(others).resolves.toHaveLength(20);
    await expect(fresh).resolves.toBe('stored');
    refuse('nothing');
    await pass(5000);
    await expect(bad).resolves.toBe('stored');
  });

  test('close rejects what waits and what comes after, with an error of its own class', async () => {
    const { commit, change, goAway } = setup();
    goAway(true);
    const waiting = change('a');
    await turns();
    commit.close();
    await expect(waiting).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(change('b')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await turns();
    await pass(5000);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('close lets a transaction that is under way end as it ends', async () => {
    const { commit, change, sent } = setup({ manual: true });
    const stored = change('a');
    await turns();
    commit.close();
    sent[0]?.resolve();
    await expect(stored).resolves.toBe('stored');
  });

  test('close rejects what was under way where it fails', async () => {
    const { commit, change, sent } = setup({ manual: true });
    const lost = change('a');
    await turns();
    commit.close();
    sent[0]?.reject(new StoreUnavailableError('away'));
    await expect(lost).rejects.toBeInstanceOf(StoreUnavailableError);
  });
});
