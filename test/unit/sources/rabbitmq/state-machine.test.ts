import { SILENT } from '../../../../src/observability/logging';
import { CONSUMER_TRANSITIONS } from '../../../../src/sources/rabbitmq/consumer-states';
import { SOURCE_TRANSITIONS } from '../../../../src/sources/rabbitmq/source-states';
import { StateMachine, type Transitions } from '../../../../src/sources/rabbitmq/state-machine';

/** Every pair of states of a table. */
function pairs<S extends string>(transitions: Transitions<S>): [from: S, to: S][] {
  const states = Object.keys(transitions) as S[];
  return states.flatMap((from) => states.map((to): [S, S] => [from, to]));
}

function suite<S extends string>(name: string, transitions: Transitions<S>): void {
  describe(`states of the ${name}`, () => {
    test.each(pairs(transitions))('%s → %s takes place exactly where the table says so', (from, to) => {
      const lines: string[] = [];
      const log = { ...SILENT, isDebug: true, debug: (line: string) => void lines.push(line) };
      const machine = new StateMachine<S>({ name, initial: from, transitions, log });
      const isAllowed = transitions[from].includes(to);
      expect(machine.move(to)).toBe(isAllowed);
      expect(machine.state).toBe(isAllowed ? to : from);
      expect(lines).toEqual(isAllowed ? [`${name}: ${from} → ${to}`] : []);
    });
  });
}

suite('source', SOURCE_TRANSITIONS);
suite('consumer', CONSUMER_TRANSITIONS);

test('what is closed or lost stays so, and every state can be left towards the end', () => {
  expect([SOURCE_TRANSITIONS.closed, CONSUMER_TRANSITIONS.closed, CONSUMER_TRANSITIONS.lost]).toEqual([
    [],
    [],
    [],
  ]);
  for (const [state, next] of Object.entries(SOURCE_TRANSITIONS))
    if (!['stopping', 'closed'].includes(state)) expect(next).toContain('stopping');
});
