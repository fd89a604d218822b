import { CommitTurns, type Waiting } from '../../../src/retry/commit-turns';

interface Named extends Waiting {
  readonly name: string;
}

const each = (name: string, group?: string, bytes = 100): Named => ({ name, group, bytes });

function order(all: readonly Named[]): string {
  const turns = new CommitTurns<Named>();
  for (const one of all) turns.add(one);
  return rest(turns);
}

function rest(turns: CommitTurns<Named>): string {
  const names: string[] = [];
  for (let next = turns.take(); next !== undefined; next = turns.take()) names.push(next.name);
  expect(turns.length).toBe(0);
  return names.join(' ');
}

describe('the order in which changes are stored', () => {
  test('is the one in which they were asked for, where nobody shares', () => {
    expect(order([each('a'), each('b'), each('c')])).toBe('a b c');
    expect(order([each('a', 'x'), each('b', 'x'), each('c', 'x')])).toBe('a b c');
  });

  test('groups take turns, by bytes: small ones go together', () => {
    const large = 200_000;
    const all = [each('a1', 'a', large), each('a2', 'a', large), each('a3', 'a', large)];
    expect(order([...all, each('b1', 'b'), each('b2', 'b'), each('c1', 'c', large)])).toBe(
      'a1 b1 b2 c1 a2 a3',
    );
  });

  test('what is of no group goes first, but three times in a row at the most', () => {
    const steps = Array.from({ length: 5 }, (_, index) => each(`s${index}`));
    expect(order([each('a1', 'a'), each('a2', 'a'), ...steps])).toBe('s0 s1 s2 a1 s3 s4 a2');
  });

  test('what comes back is the first of its group again', () => {
    const turns = new CommitTurns<Named>();
    for (const one of [each('a1', 'a'), each('a2', 'a'), each('s0')]) turns.add(one);
    const batch = [turns.take(), turns.take()].flatMap((one) => one ?? []);
    turns.putBack(batch);
    expect([turns.length, rest(turns)]).toEqual([3, 's0 a1 a2']);
  });

  test('all that waits can be taken at once', () => {
    const turns = new CommitTurns<Named>();
    for (const one of [each('a1', 'a'), each('s0')]) turns.add(one);
    expect([turns.takeAll().map(({ name }) => name), turns.length, turns.take()]).toEqual([
      ['s0', 'a1'],
      0,
      undefined,
    ]);
  });
});
