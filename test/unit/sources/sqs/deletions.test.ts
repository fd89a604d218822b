import type { EntryFailure } from '../../../../src/sources/sqs/api';
import type { Receipt } from '../../../../src/sources/sqs/batches';
import { Deletions } from '../../../../src/sources/sqs/deletions';
import { Happenings } from '../../../support/signals/signals';

type Answer = readonly (EntryFailure | undefined)[] | Error;

const PASSING: EntryFailure = { code: 'InternalError', isFinal: false };
const STALE: EntryFailure = { code: 'ReceiptHandleIsInvalid', isFinal: true };

function setup(...answers: Answer[]) {
  const calls: (readonly string[])[] = [];
  const done = new Happenings<string>();
  const deletions = new Deletions<Receipt>({
    api: {
      remove: async (_queueUrl, handles) => {
        calls.push([...handles]);
        const answer = answers.shift() ?? [];
        if (answer instanceof Error) throw answer;
        return handles.map((_, index) => answer[index]);
      },
    },
    onDone: ({ handle }) => done.add(handle),
  });
  const add = (...handles: string[]): void => {
    for (const handle of handles) deletions.add({ queueUrl: 'queue', handle });
  };
  return { deletions, add, calls, done };
}

test('what is settled close together is one call, and ten are one at once', async () => {
  const { add, calls, done } = setup();
  add(...Array.from({ length: 13 }, (_, n) => `${n}`));
  await done.count(13);
  expect(calls.map(({ length }) => length)).toEqual([10, 3]);
});

test('what fails in a batch is tried again, and nothing else', async () => {
  const { add, calls, done } = setup([undefined, PASSING, undefined]);
  add('a', 'b', 'c');
  await done.count(3);
  expect([calls, done.all]).toEqual([
    [['a', 'b', 'c'], ['b']],
    ['a', 'c', 'b'],
  ]);
});

test('a whole batch that fails is tried again', async () => {
  const { add, calls, done } = setup(new Error('away'), new Error('away'));
  add('a', 'b');
  await done.count(2);
  expect(calls).toHaveLength(3);
});

test('a receipt that is too old is not tried again: the message comes with another one', async () => {
  const { add, calls, done } = setup([STALE]);
  add('a');
  await done.count(1);
  expect(calls).toHaveLength(1);
});

test('closing sends what waits, and tries what fails three times', async () => {
  const { deletions, add, calls, done } = setup([undefined, PASSING], [PASSING], [PASSING], [PASSING]);
  add('a', 'b');
  await deletions.close();
  expect(calls).toEqual([['a', 'b'], ['b'], ['b']]);
  expect(done.all).toEqual(['a']);
});
