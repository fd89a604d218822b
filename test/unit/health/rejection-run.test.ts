import { isRejecting, type RejectionRun, rejectionOf, runAfter } from '../../../src/health/rejection-run';
import type { Outcome } from '../../../src/pipeline/delivery';

const NOT_FOUND: Outcome = { kind: 'rejected', code: 'HTTP_404', status: 404 };

function runOf(times: readonly number[]): RejectionRun {
  const run = times.reduce<RejectionRun | undefined>(
    (before, time) => runAfter(before, () => 'aaaa', time),
    undefined,
  );
  if (run === undefined) throw new Error('no times');
  return run;
}

describe('a destination rejects everything once it rejected', () => {
  test.each<readonly [name: string, times: readonly number[], isSo: boolean]>([
    ['one: no', [0], false],
    ['two, however far apart: no', [0, 60_000], false],
    ['a burst: no', [0, 1, 2, 3, 4, 5], false],
    ['three within less than ten seconds: no', [0, 5000, 9999], false],
    ['three over ten seconds', [0, 5000, 10_000], true],
    ['a burst and one ten seconds later', [0, 1, 2, 3, 10_000], true],
    ['one an hour', [0, 3_600_000, 7_200_000], true],
  ])('%s', (_name, times, isSo) => {
    expect(isRejecting(runOf(times), times.at(-1) ?? 0)).toBe(isSo);
  });
});

describe('what is said against a destination as a whole', () => {
  test.each<readonly [name: string, outcome: Outcome, status: number | undefined]>([
    ['an answer that will not change', NOT_FOUND, 404],
    ['not a failure: it is tried again', { kind: 'failed', code: 'HTTP_503', status: 503 }, undefined],
    ['not a delivery', { kind: 'delivered', status: 200 }, undefined],
    ['not what the relay did', { kind: 'interrupted', code: 'SHUTDOWN' }, undefined],
    ['not an event that nobody would have received', { kind: 'discarded', reason: 'vacant' }, undefined],
    [
      'not an event that is too large for it',
      { kind: 'rejected', code: 'HTTP_413', status: 413, reason: 'oversize' },
      undefined,
    ],
    [
      'not an event that the relay itself could not send',
      { kind: 'rejected', code: 'NAME_REFUSED' },
      undefined,
    ],
    ['not that it is gone: that suspends it', { kind: 'rejected', code: 'HTTP_410', status: 410 }, undefined],
  ])('%s', (_name, outcome, status) => {
    expect(rejectionOf(outcome)?.status).toBe(status);
  });

  test('of a run the address is that of its beginning, which is asked for once', () => {
    const printOf = jest.fn(() => 'aaaa');
    const first = runAfter(undefined, printOf, 5);
    expect(runAfter(first, printOf, 7)).toEqual({ print: 'aaaa', count: 2, firstMs: 5 });
    expect(printOf).toHaveBeenCalledTimes(1);
  });
});
