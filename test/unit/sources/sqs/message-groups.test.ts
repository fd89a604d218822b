import fc from 'fast-check';
import { type Grouped, MessageGroups } from '../../../../src/sources/sqs/message-groups';

interface Item extends Grouped {
  readonly number: number;
}

test('a group has one message handed over at a time, and they follow each other as they came', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'c', undefined), { maxLength: 40 }),
      fc.array(fc.nat(), { maxLength: 200 }),
      (groups, choices) => {
        const order = new MessageGroups<Item>();
        const handed: Item[] = [];
        const done: Item[] = [];
        const handOver = (): void => {
          for (let item = order.take(); item !== undefined; item = order.take()) handed.push(item);
        };
        for (const [number, group] of groups.entries()) order.add({ group, number });
        handOver();
        for (const choice of [...choices, ...groups.map(() => 0)]) {
          const named = handed.flatMap(({ group }) => group ?? []);
          expect(new Set(named).size).toBe(named.length);
          const [item] = handed.splice(choice % Math.max(1, handed.length), 1);
          if (item === undefined) break;
          done.push(item);
          order.advance(item);
          handOver();
        }
        for (const group of ['a', 'b', 'c']) {
          const numbers = done.filter((item) => item.group === group).map(({ number }) => number);
          expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
        }
        expect(done).toHaveLength(groups.length);
      },
    ),
  );
});

test('a message that goes back takes those behind it along, and later ones start a new line', () => {
  const order = new MessageGroups<Item>();
  const items = [1, 2, 3].map((number) => ({ group: 'a', number }));
  for (const item of items) order.add(item);
  const first = order.take();
  expect(first && order.cut(first)).toEqual(items.slice(1));
  const next = { group: 'a', number: 4 };
  order.add(next);
  expect(order.take()).toBe(next);
});

test('clearing gives back what waits, the last first, and keeps the places of what is handed over', () => {
  const order = new MessageGroups<Item>();
  const handed = { group: 'a', number: 1 };
  order.add(handed);
  order.take();
  const waiting = [
    { group: 'a', number: 2 },
    { group: 'b', number: 3 },
    { group: undefined, number: 4 },
    { group: 'b', number: 5 },
    { group: 'b', number: 6 },
  ];
  for (const item of waiting) order.add(item);
  const cleared = order.clear();
  expect([...cleared].sort((one, other) => one.number - other.number)).toEqual(waiting);
  const ofB = cleared.filter(({ group }) => group === 'b').map(({ number }) => number);
  expect(ofB).toEqual([6, 5, 3]);
  order.advance(handed);
  expect(order.take()).toBeUndefined();
});
