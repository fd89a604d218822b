import fc from 'fast-check';
import { BatchEntry } from '../../../src/destinations/pusher/batch-entry';
import { ChannelQueues } from '../../../src/destinations/pusher/channel-queues';

const MAX = 10;

function entry(channel: string, number: number): BatchEntry {
  return new BatchEntry({ channel, name: 'call', data: String(number) }, number, {
    timeoutMs: 1000,
    withdraw: () => {},
  });
}

type Step =
  | { readonly kind: 'add'; readonly channel: string }
  | { readonly kind: 'take' }
  | { readonly kind: 'release' | 'withdraw'; readonly which: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('add' as const), channel: fc.constantFrom('a', 'b', 'c') }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom('release' as const, 'withdraw' as const),
        which: fc.nat(50),
      }),
    },
  ),
  { maxLength: 200 },
);

describe('lines of events', () => {
  test('whatever happens: every event is taken once, in the order of its channel, never beside an earlier one', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const queues = new ChannelQueues();
        const waiting: BatchEntry[] = [];
        const taken: BatchEntry[] = [];
        const underWay: BatchEntry[][] = [];
        const take = (): void => {
          const ready = queues.readyCount;
          const batch = queues.take(MAX);
          expect(batch).toHaveLength(Math.min(ready, MAX));
          const busy = new Set(underWay.flat().map(({ channel }) => channel));
          expect(batch.filter(({ channel }) => busy.has(channel))).toEqual([]);
          for (const each of batch) waiting.splice(waiting.indexOf(each), 1);
          taken.push(...batch);
          if (batch.length > 0) underWay.push(batch);
        };
        const release = (which: number): void => {
          const [batch] = underWay.splice(which % Math.max(1, underWay.length), 1);
          if (batch !== undefined) queues.release(batch);
        };
        all.forEach((step, number) => {
          if (step.kind === 'add') {
            waiting.push(entry(step.channel, number));
            queues.add(waiting.at(-1) as BatchEntry);
          } else if (step.kind === 'take') take();
          else if (step.kind === 'release') release(step.which);
          else {
            const [withdrawn] = waiting.splice(step.which % Math.max(1, waiting.length), 1);
            if (withdrawn !== undefined) queues.withdraw(withdrawn);
          }
        });
        while (waiting.length > 0 || underWay.length > 0) {
          take();
          release(0);
        }
        expect([queues.readyCount, queues.waitingSince]).toEqual([0, undefined]);
        for (const channel of ['a', 'b', 'c']) {
          const numbers = taken.filter((each) => each.channel === channel).map(({ since }) => since);
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
          expect(new Set(numbers).size).toBe(numbers.length);
        }
      }),
    );
  });

  test('channels take turns: one with many events does not keep the others waiting', () => {
    const queues = new ChannelQueues();
    for (let number = 0; number < 30; number++) queues.add(entry('busy', number));
    queues.add(entry('quiet', 30));
    const first = queues.take(MAX);
    expect(first.map(({ channel }) => channel)).toEqual(first.map(() => 'busy'));
    expect(queues.take(MAX).map(({ channel }) => channel)).toEqual(['quiet']);
    expect(queues.take(MAX)).toEqual([]);
  });
});
