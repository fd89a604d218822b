import { LaneHoldings } from '../../../src/pipeline/lane-holdings';

function held(...instances: readonly (readonly [instance: string, count: number])[]): LaneHoldings {
  const holdings = new LaneHoldings(80);
  for (const [instance, count] of instances) for (let n = 0; n < count; n++) holdings.add(instance);
  return holdings;
}

test('one instance may hold an eighth of what is held in all', () => {
  expect(held(['a', 10], ['b', 1]).isMuch('a')).toBe(false);
  const holdings = held(['a', 11], ['b', 1]);
  expect([holdings.isMuch('a'), holdings.isMuch('b'), holdings.isMuch('c')]).toEqual([true, false, false]);
  holdings.leave('a');
  expect(holdings.isMuch('a')).toBe(false);
});

test('several that hold little each are much together', () => {
  const few = ['a', 'b', 'c', 'd', 'e'].map((instance) => [instance, 8] as const);
  expect(held(...few).isMuch('a')).toBe(false);
  expect(held(...few, ['f', 1]).isMuch('a')).toBe(true);
});
