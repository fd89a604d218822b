import { type SqsPhase, SqsState } from '../../../../src/sources/sqs/sqs-state';

const PHASES = ['idle', 'connecting', 'consuming', 'stopping', 'closed'] as const;
const PATHS: Readonly<Record<SqsPhase, readonly SqsPhase[]>> = {
  idle: [],
  connecting: ['connecting'],
  consuming: ['connecting', 'consuming'],
  stopping: ['connecting', 'consuming', 'stopping'],
  closed: ['stopping', 'closed'],
};
const POSSIBLE: readonly `${SqsPhase} ${SqsPhase}`[] = [
  'idle connecting',
  'idle stopping',
  'connecting consuming',
  'connecting stopping',
  'consuming connecting',
  'consuming stopping',
  'stopping closed',
];

describe('the state of the SQS source', () => {
  test.each(PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const)))(
    'from %s to %s',
    (from, to) => {
      const changes: string[] = [];
      const state = new SqsState(
        (before, after, reason) => void changes.push(`${before} ${after} ${reason}`),
      );
      for (const phase of PATHS[from]) state.to(phase, 'way');
      changes.length = 0;
      const isPossible = POSSIBLE.includes(`${from} ${to}`);
      expect(state.to(to, 'why')).toBe(isPossible);
      expect([state.phase, changes]).toEqual(isPossible ? [to, [`${from} ${to} why`]] : [from, []]);
      expect(state.detail === 'why').toBe(isPossible);
    },
  );

  test('gives another reason for its own phase only', () => {
    const state = new SqsState(() => {});
    state.to('connecting', 'connecting');
    state.explain('connecting', 'waiting for sqs: ECONNREFUSED');
    expect(state.detail).toBe('waiting for sqs: ECONNREFUSED');
    state.explain('consuming', 'never');
    expect([state.detail, state.is('idle', 'connecting'), state.is('closed')]).toEqual([
      'waiting for sqs: ECONNREFUSED',
      true,
      false,
    ]);
  });
});
