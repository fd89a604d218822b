import { Circuit } from '../../../src/pipeline/circuit';
import type { Outcome } from '../../../src/pipeline/delivery';
import { DELIVERED, FAILED, INTERRUPTED, REJECTED } from '../../support/harness/pipeline-harness';
import { deferred } from '../../support/signals/signals';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const OPEN_MS = 30_000;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

function setup(failures = 3) {
  const changes: number[] = [];
  const circuit = new Circuit({ failures, openMs: OPEN_MS, onChange: (change) => changes.push(change) });
  const run = (...outcomes: Outcome[]): Promise<Outcome[]> =>
    outcomes.reduce(
      async (before, outcome) => [...(await before), await circuit.run(async () => outcome)],
      Promise.resolve<Outcome[]>([]),
    );
  const isOpen = (): boolean => circuit.closedIn() > 0;
  return { circuit, changes, run, isOpen };
}

describe('a circuit', () => {
  test('opens after so many consecutive failures, not before', async () => {
    const { changes, run, isOpen } = setup();
    await run(FAILED, FAILED);
    expect([isOpen(), changes]).toEqual([false, []]);
    await run(FAILED);
    expect([isOpen(), changes]).toEqual([true, [1]]);
  });

  test.each([
    ['a success', DELIVERED],
    ['an answer that will never change: the destination is there', REJECTED],
  ])('%s in between starts the count anew', async (_what, outcome) => {
    const { run, isOpen } = setup();
    await run(FAILED, FAILED, outcome, FAILED, FAILED);
    expect(isOpen()).toBe(false);
  });

  test('refuses while it is open, and says how long', async () => {
    const { circuit, run } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(10_000);
    const left = circuit.closedIn();
    expect(left).toBeGreaterThanOrEqual(OPEN_MS - 10_000);
    expect(left).toBeLessThan(OPEN_MS - 9000);
    expect(await run(DELIVERED)).toEqual([{ kind: 'interrupted', code: 'CIRCUIT_OPEN' }]);
  });

  test('lets exactly one through when the time is up', async () => {
    const { circuit, run, isOpen } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(OPEN_MS + 10);
    expect(isOpen()).toBe(false);
    const probe = deferred<Outcome>();
    const result = circuit.run(() => probe.promise);
    expect(isOpen()).toBe(true);
    probe.resolve(DELIVERED);
    await result;
    expect(isOpen()).toBe(false);
  });

  test('closes when that one succeeds', async () => {
    const { changes, run, isOpen } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(OPEN_MS + 10);
    await run(DELIVERED, FAILED, FAILED);
    expect([isOpen(), changes]).toEqual([false, [1, -1]]);
  });

  test('stays open for as long again when that one fails, and counts as one open circuit', async () => {
    const { circuit, changes, run } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(OPEN_MS + 10);
    await run(FAILED);
    expect(circuit.closedIn()).toBeGreaterThanOrEqual(OPEN_MS);
    expect(changes).toEqual([1]);
    await pass(OPEN_MS + 10);
    await run(DELIVERED);
    expect(changes).toEqual([1, -1]);
  });

  test('what was under way when it opened neither opens it twice nor moves its time', async () => {
    const { circuit, changes, run } = setup();
    const late = deferred<Outcome>();
    const underWay = circuit.run(() => late.promise);
    await run(FAILED, FAILED, FAILED);
    await pass(20_000);
    late.resolve(FAILED);
    await underWay;
    expect(circuit.closedIn()).toBeLessThan(11_000);
    expect(changes).toEqual([1]);
  });

  test('is measured by a clock that nobody sets: the wall clock may jump (finding 3.12)', async () => {
    const { circuit, run } = setup();
    await run(FAILED, FAILED, FAILED);
    jest.setSystemTime(Date.now() - 3_600_000);
    await pass(OPEN_MS + 10);
    expect(circuit.closedIn()).toBe(0);
    await run(DELIVERED);
    expect(circuit.closedIn()).toBe(0);
  });

  test('a probe that throws leaves it open, never half-open for good', async () => {
    const { circuit, run } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(OPEN_MS + 10);
    await expect(circuit.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(circuit.closedIn()).toBeGreaterThanOrEqual(OPEN_MS);
  });

  test('our own fault says nothing about the destination: it does not close an open circuit', async () => {
    const { changes, run } = setup();
    await run(FAILED, FAILED, FAILED);
    await pass(OPEN_MS + 10);
    await run(INTERRUPTED);
    expect(changes).toEqual([1]);
  });
});
