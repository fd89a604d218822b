import { StateMachine } from '../../../../src/lifecycle/state-machine';
import { SILENT } from '../../../../src/observability/logging';
import { SQS_TRANSITIONS, type SqsState } from '../../../../src/sources/sqs/sqs-states';

const STATES = ['idle', 'connecting', 'consuming', 'stopping', 'closed'] as const;
const PATHS: Readonly<Record<SqsState, readonly SqsState[]>> = {
  idle: [],
  connecting: ['connecting'],
  consuming: ['connecting', 'consuming'],
  stopping: ['connecting', 'consuming', 'stopping'],
  closed: ['stopping', 'closed'],
};
const POSSIBLE: readonly `${SqsState} ${SqsState}`[] = [
  'idle connecting',
  'idle stopping',
  'connecting consuming',
  'connecting stopping',
  'consuming connecting',
  'consuming stopping',
  'stopping closed',
];

describe('the state of the SQS source', () => {
  test.each(STATES.flatMap((from) => STATES.map((to) => [from, to] as const)))(
    'from %s to %s',
    (from, to) => {
      const transitions = SQS_TRANSITIONS;
      const machine = new StateMachine<SqsState>({ name: 'sqs', initial: 'idle', transitions, log: SILENT });
      for (const state of PATHS[from]) machine.move(state);
      const isPossible = POSSIBLE.includes(`${from} ${to}`);
      expect(machine.move(to)).toBe(isPossible);
      expect(machine.state).toBe(isPossible ? to : from);
    },
  );
});
