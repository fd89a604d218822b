import { LeaseTurns } from '../../../src/rates/lease-turns';

const AFTER_MS = 100;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

type State = 'idle' | 'due' | 'asking' | 'closed';
type Step = 'due' | 'begin' | 'end' | 'close' | 'time';

/** How each state is come to. */
const WAY_TO: Readonly<Record<State, readonly Step[]>> = {
  idle: [],
  due: ['due'],
  asking: ['begin'],
  closed: ['close'],
};

/** Every step in every state, those included that cannot change it. */
const AFTER: Readonly<Record<State, Readonly<Record<Step, State>>>> = {
  idle: { due: 'due', begin: 'asking', end: 'idle', close: 'closed', time: 'idle' },
  due: { due: 'due', begin: 'asking', end: 'due', close: 'closed', time: 'idle' },
  asking: { due: 'asking', begin: 'asking', end: 'idle', close: 'closed', time: 'asking' },
  closed: { due: 'closed', begin: 'closed', end: 'closed', close: 'closed', time: 'closed' },
};

function setup() {
  let times = 0;
  const turns = new LeaseTurns(() => times++);
  const take: Readonly<Record<Step, () => void>> = {
    due: () => turns.due(AFTER_MS),
    begin: () => void turns.begin(),
    end: () => turns.end(),
    close: () => turns.close(),
    time: () => void jest.advanceTimersByTime(AFTER_MS),
  };
  /** Told by what is still possible, as the state is nobody's business. */
  const state = (): State => {
    if (turns.isClosed) return 'closed';
    if (jest.getTimerCount() > 0) return 'due';
    if (!turns.begin()) return 'asking';
    turns.end();
    return 'idle';
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

  test('a question begins where none is under way', () => {
    const { turns } = setup();
    expect(turns.begin()).toBe(true);
    expect(turns.begin()).toBe(false);
    turns.end();
    expect(turns.begin()).toBe(true);
    turns.close();
    expect(turns.begin()).toBe(false);
  });

  test('what is due comes once, and not at all where a question began before it', () => {
    const { turns, take, times } = setup();
    turns.due(AFTER_MS);
    turns.due(AFTER_MS / 2);
    take.time();
    expect(times()).toBe(1);
    turns.due(AFTER_MS);
    turns.begin();
    take.time();
    expect(times()).toBe(1);
  });
});
