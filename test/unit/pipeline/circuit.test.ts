import { CHOSEN_MS, Circuit, type CircuitFault, SUSPENDED_MS } from '../../../src/pipeline/circuit';
import type { Outcome } from '../../../src/pipeline/delivery';
import { DELIVERED, FAILED, INTERRUPTED, REJECTED } from '../../support/harness/pipeline-harness';
import { deferred } from '../../support/signals/signals';

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }));
afterEach(() => jest.useRealTimers());

const OPEN_MS = 30_000;
const GONE: Outcome = { kind: 'failed', code: 'HTTP_410', status: 410, gone: true };
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

/** What a circuit tells all workers. */
function shared() {
  const told: string[] = [];
  const faults: CircuitFault[] = [];
  const changes: number[] = [];
  const circuit = new Circuit({
    failures: 3,
    openMs: OPEN_MS,
    onChange: (change) => changes.push(change),
    shared: {
      opened: (fault) => {
        told.push('opened');
        faults.push(fault);
      },
      closed: () => told.push('closed'),
      claim: () => told.push('claim'),
      probing: (mostMs) => told.push(`probing ${mostMs}`),
    },
  });
  const fail = async (outcome: Outcome = FAILED): Promise<void> => {
    for (let count = 0; count < 3; count++) await circuit.run(async () => outcome);
  };
  return { circuit, told, faults, changes, fail };
}

describe('a circuit that all workers share', () => {
  test('tells once that it opened, why, and for how long nothing succeeded', async () => {
    const { circuit, told, faults } = shared();
    await circuit.run(async () => FAILED);
    await pass(5000);
    await circuit.run(async () => FAILED);
    await circuit.run(async () => ({ kind: 'failed', code: 'HTTP_503', status: 503 }));
    expect(told).toEqual(['opened']);
    expect(faults).toMatchObject([{ code: 'HTTP_503', status: 503, gone: false, probed: false }]);
    expect(faults[0]?.failingMs).toBeGreaterThanOrEqual(5000);
    expect(faults[0]?.failingMs).toBeLessThan(6000);
  });

  test('asks once whether it may let an attempt through, and lets none through before it may', async () => {
    const { circuit, told, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    expect([circuit.closedIn(), circuit.closedIn()]).toEqual([1000, 1000]);
    expect(told).toEqual(['opened', 'claim']);
    expect(await circuit.run(async () => DELIVERED)).toMatchObject({ code: 'CIRCUIT_OPEN' });
    circuit.granted();
    expect([circuit.closedIn(), circuit.isChosen]).toEqual([0, true]);
    await circuit.run(async () => DELIVERED, { timeoutMs: 7000 });
    expect(told).toEqual(['opened', 'claim', 'probing 7000', 'closed']);
    expect(circuit.isOpen).toBe(false);
  });

  test('waits where another worker makes the attempt, and is asked for again', async () => {
    const { circuit, told, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.adopt('circuit-open', 500);
    expect(circuit.closedIn()).toBeGreaterThan(400);
    await pass(600);
    circuit.closedIn();
    expect(told).toEqual(['opened', 'claim', 'claim']);
  });

  test('lets one through where nobody answers: better two workers than none', async () => {
    const { circuit, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    await pass(2001);
    expect(circuit.closedIn()).toBe(0);
  });

  test('gives its turn up where nothing comes to be attempted', async () => {
    const { circuit, told, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.granted();
    await pass(CHOSEN_MS + 1);
    expect([circuit.isChosen, circuit.closedIn()]).toEqual([false, 1000]);
    expect(told).toEqual(['opened', 'claim', 'claim']);
  });

  test('tells that it stays open when that attempt fails', async () => {
    const { circuit, faults, changes, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.granted();
    await circuit.run(async () => FAILED);
    expect(faults.map(({ probed }) => probed)).toEqual([false, true]);
    expect([circuit.isOpen, changes]).toEqual([true, [1]]);
  });

  test('opens and closes as other workers say, and is counted once', () => {
    const { circuit, told, changes } = shared();
    circuit.adopt('circuit-open', 10_000);
    circuit.adopt('circuit-open', 20_000);
    expect(circuit.closedIn()).toBeGreaterThan(10_000);
    circuit.close();
    circuit.close();
    expect([circuit.closedIn(), told, changes]).toEqual([0, [], [1, -1]]);
  });

  test('closed by another worker while its own attempt is under way, it stays closed', async () => {
    const { circuit, told, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.granted();
    const probe = deferred<Outcome>();
    const result = circuit.run(() => probe.promise);
    circuit.close();
    probe.resolve(FAILED);
    await result;
    expect(circuit.isOpen).toBe(false);
    expect(told).toEqual(['opened', 'claim', 'probing 0']);
  });

  test('a probe of the address before is not waited for; an address that is not known is no other one', async () => {
    const probed = async (print: string): Promise<boolean> => {
      const { circuit, fail } = shared();
      await fail();
      await pass(OPEN_MS);
      circuit.closedIn();
      circuit.granted();
      const probe = deferred<Outcome>();
      const to = { timeoutMs: 1000, endpoint: () => ({ shown: 'before', print: 'before' }) };
      const result = circuit.run(() => probe.promise, to);
      circuit.moved({ shown: print, print });
      probe.resolve(DELIVERED);
      await result;
      return circuit.isOpen;
    };
    expect([await probed('after'), await probed('before'), await probed('')]).toEqual([true, false, false]);
  });

  test('an answer that says that the destination is gone suspends it at once', async () => {
    const { circuit, faults } = shared();
    await circuit.run(async () => GONE);
    expect(faults).toMatchObject([{ code: 'HTTP_410', status: 410, gone: true }]);
    expect(circuit.obstacle).toBe('suspended');
    expect(circuit.closedIn()).toBeGreaterThan(SUSPENDED_MS - 1000);
  });

  test('a person may suspend it although an attempt would be let through, and resume it', async () => {
    const { circuit, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.granted();
    circuit.adopt('suspended', 1e12);
    expect([circuit.obstacle, circuit.closedIn() > 1e11]).toEqual(['suspended', true]);
    circuit.close();
    expect([circuit.obstacle, circuit.closedIn()]).toEqual(['circuit-open', 0]);
  });

  test('our own fault names none of the destination', async () => {
    const { circuit, faults, fail } = shared();
    await fail();
    await pass(OPEN_MS);
    circuit.closedIn();
    circuit.granted();
    await circuit.run(async () => INTERRUPTED);
    expect(faults.at(-1)).toMatchObject({ code: '', status: 0 });
  });
});
