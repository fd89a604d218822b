import { LeaseTurns } from '../../../src/rates/lease-turns';

const PAUSE_MS = 100;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** Permits are wanted while some are asked for, or are only given back. */
type State = 'idle' | 'due' | 'asking' | 'giving back' | 'closed';
type Step = 'want' | 'begin' | 'served' | 'unserved' | 'close' | 'time';

/** How each state is come to. */
const WAY_TO: Readonly<Record<State, readonly Step[]>> = {
  idle: [],
  due: ['want'],
  asking: ['want', 'begin'],
  'giving back': ['begin'],
  closed: ['close'],
};

/** Every step in every state, those included that cannot change it. */
const AFTER: Readonly<Record<State, Readonly<Record<Step, State>>>> = {
  idle: {
    ...{ want: 'due', begin: 'giving back', served: 'idle', unserved: 'idle' },
    ...{ close: 'closed', time: 'idle' },
  },
  due: {
    ...{ want: 'due', begin: 'asking', served: 'due', unserved: 'due' },
    // Its time has come, and the owner lets it be.
    ...{ close: 'closed', time: 'idle' },
  },
  asking: {
    ...{ want: 'asking', begin: 'asking', served: 'idle', unserved: 'due' },
    ...{ close: 'closed', time: 'asking' },
  },
  'giving back': {
    ...{ want: 'asking', begin: 'giving back', served: 'idle', unserved: 'idle' },
    ...{ close: 'closed', time: 'giving back' },
  },
  closed: {
    ...{ want: 'closed', begin: 'closed', served: 'closed', unserved: 'closed' },
    ...{ close: 'closed', time: 'closed' },
  },
};

function setup(onTime: (turns: LeaseTurns) => void = () => {}) {
  let times = 0;
  const turns: LeaseTurns = new LeaseTurns(() => {
    times++;
    onTime(turns);
  });
  const take: Readonly<Record<Step, () => void>> = {
    want: () => turns.want(),
    begin: () => void turns.begin(),
    served: () => turns.served(),
    unserved: () => turns.unserved(),
    close: () => turns.close(),
    time: () => void jest.advanceTimersByTime(PAUSE_MS),
  };
  /** Told by what is still possible, as the state is nobody's business. */
  const state = (): State => {
    if (turns.isClosed) return 'closed';
    if (jest.getTimerCount() > 0) return 'due';
    if (turns.begin() !== undefined) return 'idle';
    turns.unserved();
    return jest.getTimerCount() > 0 ? 'asking' : 'giving back';
  };
  return { turns, take, state, times: () => times };
}

const pairs = Object.entries(AFTER).flatMap(([from, steps]) =>
  Object.entries(steps).map(([step, to]) => [from as State, step as Step, to] as const),
);

describe('the turns of asking for permits', () => {
  test.each(pairs)('%s, then %s: %s', (from, step, to) => {
    const { take, state } = setup();
    for (const each of WAY_TO[from]) take[each]();
    take[step]();
    expect(state()).toBe(to);
  });

  test('a question begins where none is under way, and says for how long permits were wanted', () => {
    const { turns } = setup((each) => expect(each.begin()).toBe(PAUSE_MS));
    turns.unserved(PAUSE_MS);
    turns.want();
    jest.advanceTimersByTime(PAUSE_MS);
    expect(turns.begin()).toBeUndefined();
    turns.served();
    expect(turns.begin()).toBe(0);
    turns.close();
    expect(turns.begin()).toBeUndefined();
  });

  test('what did not come is asked for after the pause, as wanted since it first was', () => {
    const waited: (number | undefined)[] = [];
    const { turns } = setup((each) => {
      waited.push(each.begin());
      if (waited.length < 3) each.unserved(PAUSE_MS);
    });
    turns.want();
    jest.advanceTimersByTime(10 * PAUSE_MS);
    expect(waited).toEqual([0, PAUSE_MS, 2 * PAUSE_MS]);
  });

  test('what is due comes once, and not at all where a question began before it', () => {
    const { turns, take, times } = setup();
    turns.want();
    turns.want();
    take.time();
    expect(times()).toBe(1);
    turns.want();
    turns.begin();
    take.time();
    expect(times()).toBe(1);
  });
});
