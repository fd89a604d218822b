import fc from 'fast-check';
import { DueHeap } from '../../../../src/sources/sqs/due-heap';

interface Item {
  readonly name: number;
}

const command = fc.oneof(
  fc.record({ act: fc.constant('set' as const), name: fc.nat(9), at: fc.nat(20) }),
  fc.record({ act: fc.constant('delete' as const), name: fc.nat(9), at: fc.constant(0) }),
  fc.record({ act: fc.constant('take' as const), name: fc.constant(0), at: fc.nat(20) }),
);

test('whatever is added, changed, removed and taken, it is as a list sorted by time and arrival', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      const heap = new DueHeap<Item>();
      const items = Array.from({ length: 10 }, (_, name) => ({ name }));
      let list: { name: number; at: number }[] = [];
      const without = (name: number) => list.filter((each) => each.name !== name);
      const acts = {
        set: (name: number, at: number) => {
          heap.set(items[name] ?? { name }, at);
          list = [...without(name), { name, at }].sort((one, other) => one.at - other.at);
        },
        delete: (name: number) => {
          heap.delete(items[name] ?? { name });
          list = without(name);
        },
        take: (_name: number, now: number) => {
          const due = list.find(({ at }) => at <= now);
          expect(heap.take(now)?.name).toBe(due?.name);
          if (due !== undefined) list = without(due.name);
        },
      };
      for (const { act, name, at } of commands) {
        acts[act](name, at);
        expect([heap.size, heap.nextAt]).toEqual([list.length, list[0]?.at ?? Number.POSITIVE_INFINITY]);
      }
    }),
  );
});
