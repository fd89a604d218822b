import { StateMachine, type Transitions } from '../../../src/lifecycle/state-machine';
import { SILENT } from '../../../src/observability/logging';

/** Every pair of states of a table. */
function pairs<S extends string>(transitions: Transitions<S>): [from: S, to: S][] {
  const states = Object.keys(transitions) as S[];
  return states.flatMap((from) => states.map((to): [S, S] => [from, to]));
}

/** Every transition of a table takes place and is logged, and no other one does. */
export function transitionsSuite<S extends string>(name: string, transitions: Transitions<S>): void {
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
