import fc from 'fast-check';
import type { DestinationId } from '../../../src/pipeline/delivery';
import { WaitingLines } from '../../../src/pipeline/waiting-lines';
import { FakeDestination, PipelineHarness } from '../../support/harness/pipeline-harness';

const step = fc.tuple(fc.constantFrom('join', 'remove', 'moveBack', 'moveFirstBack'), fc.nat({ max: 4 }));

function idOf(what: string, number: number, [first = 'none']: readonly string[]): string {
  return what === 'moveFirstBack' ? first : `webhook:${number}`;
}

/** What a list is after the same step. */
function after(order: readonly string[], what: string, id: string): string[] {
  const others = order.filter((each) => each !== id);
  const isIn = others.length < order.length;
  if (what === 'join') return isIn ? [...order] : [...order, id];
  return isIn && what !== 'remove' ? [...others, id] : others;
}

function open(): { readonly lines: WaitingLines; readonly join: (id: string) => void } {
  const { bulkheads, places } = new PipelineHarness();
  const lines = new WaitingLines(places);
  return {
    lines,
    join: (id) => void lines.join(id as DestinationId, bulkheads.of(new FakeDestination(id))),
  };
}

test('lines take turns in the order in which they joined or moved back, whatever is done to them', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { lines, join } = open();
      let order: string[] = [];
      for (const [what, number] of steps) {
        const id = idOf(what, number, order);
        const line = order.includes(id) ? lines.get(id as DestinationId) : undefined;
        if (what === 'join') join(id);
        else if (line !== undefined) what === 'remove' ? lines.remove(line) : lines.moveBack(line);
        order = after(order, what, id);
        expect(lines.all().map((each) => each.id)).toEqual(order);
        expect(lines.size).toBe(order.length);
        expect(lines.first?.id).toBe(order[0]);
      }
    }),
  );
});

test('a line that left leads to no other one: what comes after it would be kept with it', () => {
  const { lines, join } = open();
  for (const id of ['a', 'b', 'c']) join(id);
  const line = lines.get('b' as DestinationId);
  if (line === undefined) throw new Error('it did not join');
  lines.remove(line);
  expect([line.before, line.behind]).toEqual([undefined, undefined]);
});

test('where the bulkhead of a destination was forgotten meanwhile, its line has the present one', () => {
  const [before, now] = [new PipelineHarness(), new PipelineHarness()];
  const destination = new FakeDestination();
  const lines = new WaitingLines(before.places);
  lines.remove(lines.join(destination.id, before.bulkheads.of(destination)));
  const bulkhead = now.bulkheads.of(destination);
  expect(lines.join(destination.id, bulkhead).bulkhead).toBe(bulkhead);
  expect(lines.size).toBe(1);
});
