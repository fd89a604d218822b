import { TermGate } from '../../../src/worker/term-gate';
import { deferred, turns } from '../../support/signals/signals';

const [FIRST, SECOND] = [{}, {}];

/** A gate, and the answers that it waits for, each given by hand. */
function setup() {
  const asked: ReturnType<typeof deferred<boolean>>[] = [];
  const handed: string[] = [];
  let ready = 0;
  const gate = new TermGate({
    refresh: () => {
      const answer = deferred<boolean>();
      asked.push(answer);
      return answer.promise;
    },
    onReady: () => ready++,
  });
  const answer = async (isKnown: boolean): Promise<void> => {
    asked.shift()?.resolve(isKnown);
    await turns();
  };
  const take = (term: object, name: string): void => gate.take(term, () => handed.push(name));
  return { gate, asked, handed, answer, take, readyTimes: () => ready };
}

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

describe('the gate of the ordered queue', () => {
  test('preparing: what comes waits, and is handed over in its order once it is known how things stand', async () => {
    const { take, handed, answer, readyTimes, asked } = setup();
    for (const name of ['a', 'b']) take(FIRST, name);
    expect(asked).toHaveLength(1);
    await answer(true);
    expect(handed).toEqual(['a', 'b']);
    expect(readyTimes()).toBe(1);
  });

  test('preparing: where it is not known it is asked again, a little later', async () => {
    const { take, handed, answer, asked } = setup();
    take(FIRST, 'a');
    await answer(false);
    expect(asked).toHaveLength(0);
    await jest.advanceTimersByTimeAsync(200);
    await answer(true);
    expect(handed).toEqual(['a']);
  });

  test('preparing: another term begins anew, and an answer to the one before opens nothing', async () => {
    const { take, handed, answer, readyTimes } = setup();
    take(FIRST, 'a');
    take(SECOND, 'b');
    await answer(true);
    expect(handed).toEqual([]);
    expect(readyTimes()).toBe(0);
    await answer(true);
    expect(handed).toEqual(['b']);
  });

  test('ready: what comes is handed over at once, and nothing is asked', async () => {
    const { take, handed, answer, asked } = setup();
    take(FIRST, 'a');
    await answer(true);
    take(FIRST, 'b');
    expect(handed).toEqual(['a', 'b']);
    expect(asked).toHaveLength(0);
  });

  test('ready: another term is prepared first', async () => {
    const { take, handed, answer } = setup();
    take(FIRST, 'a');
    await answer(true);
    take(SECOND, 'b');
    expect(handed).toEqual(['a']);
    await answer(true);
    expect(handed).toEqual(['a', 'b']);
  });

  test('stopped while it prepares, it hands nothing over and asks no more', async () => {
    const { gate, take, handed, answer, asked } = setup();
    take(FIRST, 'a');
    gate.stop();
    await answer(true);
    take(FIRST, 'b');
    expect(handed).toEqual([]);
    expect(asked).toHaveLength(0);
  });

  test('stopped while it waits to ask again, it asks no more', async () => {
    const { gate, take, answer, asked } = setup();
    take(FIRST, 'a');
    await answer(false);
    gate.stop();
    await jest.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(0);
  });

  test('stopped once it is ready, it hands over what comes of that term, and no other one begins', async () => {
    const { gate, take, handed, answer, asked } = setup();
    take(FIRST, 'a');
    await answer(true);
    gate.stop();
    gate.stop();
    take(FIRST, 'b');
    take(SECOND, 'c');
    expect(handed).toEqual(['a', 'b']);
    expect(asked).toHaveLength(0);
  });

  test('stopped before anything came, it begins nothing', () => {
    const { gate, take, asked } = setup();
    gate.stop();
    take(FIRST, 'a');
    expect(asked).toHaveLength(0);
  });
});
