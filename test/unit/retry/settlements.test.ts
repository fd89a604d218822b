import { StoreUnavailableError } from '../../../src/errors';
import type { DeliveryId } from '../../../src/pipeline/delivery';
import { GroupCommit } from '../../../src/retry/group-commit';
import type { Step } from '../../../src/retry/retry-store';
import { Settlements } from '../../../src/retry/settlements';
import { deferred, turns } from '../../support/signals/signals';

/** Redis, in which each call waits for `answer`; what is refused is refused to calls for several alone. */
function setup(refused: readonly string[] = []) {
  const sent: string[][] = [];
  const gates = [deferred<void>()];
  let isLost = false;
  const store = {
    write: async (steps: readonly Step[]) => {
      sent.push(...steps.map(({ args }) => args.map(String)));
      await gates.at(-1)?.promise;
      for (const { args, reply } of steps) {
        const ids = args.filter((_, index) => index % 2 === 0).map(String);
        const answers = ids.map((id) =>
          ids.length > 1 && refused.includes(id) ? 'refused' : `settled ${id}`,
        );
        if (ids.length === 1 || !isLost) reply?.(ids.length === 1 ? answers[0] : answers);
      }
    },
    step: (script: string, args: readonly (string | number)[], reply?: (reply: unknown) => void): Step => ({
      ...{ script, args, number: 1, wasSent: false, reply },
    }),
  };
  const commit = new GroupCommit(store, () => {});
  const settlements = new Settlements({ store, commit });
  const settle = (name: string): Promise<unknown> => settlements.settle(name as DeliveryId, 'delivered');
  const loseAnswers = (): void => {
    isLost = true;
  };
  return { settle, commit, sent, loseAnswers, answer: () => gates.at(-1)?.resolve() };
}

const pairs = (...ids: string[]): string[] => ids.flatMap((id) => [id, 'delivered']);

test('deliveries that are settled in one turn are settled by one call, each with its own answer', async () => {
  const { settle, sent, answer } = setup();
  const settled = Promise.all(['a', 'b', 'c'].map(settle));
  await turns();
  answer();
  await expect(settled).resolves.toEqual(['settled a', 'settled b', 'settled c']);
  expect(sent).toEqual([pairs('a', 'b', 'c')]);
});

test('what is asked for while a call is under way goes with the next one', async () => {
  const { settle, sent, answer } = setup();
  const first = settle('a');
  await turns();
  const others = [settle('b'), settle('c')];
  await turns();
  expect(sent).toEqual([pairs('a')]);
  answer();
  await expect(Promise.all([first, ...others])).resolves.toEqual(['settled a', 'settled b', 'settled c']);
  expect(sent).toEqual([pairs('a'), pairs('b', 'c')]);
});

test('a call settles no more than 64', async () => {
  const { settle, sent, answer } = setup();
  const names = Array.from({ length: 150 }, (_, index) => `n${index}`);
  const settled = Promise.all(names.map(settle));
  await turns();
  answer();
  await expect(settled).resolves.toEqual(names.map((name) => `settled ${name}`));
  expect(sent.map((args) => args.length / 2)).toEqual([64, 64, 22]);
});

test('one that Redis refuses keeps no other one from being settled, and is asked for alone', async () => {
  const { settle, sent, answer } = setup(['b']);
  const settled = Promise.all(['a', 'b', 'c'].map(settle));
  await turns();
  answer();
  await expect(settled).resolves.toEqual(['settled a', 'settled b', 'settled c']);
  expect(sent).toEqual([pairs('a', 'b', 'c'), pairs('b')]);
});

test('where the answer for several was lost none was refused, and none is settled again: it may be a copy of a replay by then', async () => {
  const { settle, sent, answer, loseAnswers } = setup();
  loseAnswers();
  const settled = Promise.all(['a', 'b'].map(settle));
  await turns();
  answer();
  await expect(settled).resolves.toEqual([undefined, undefined]);
  expect(sent).toEqual([pairs('a', 'b')]);
});

test('all that is not settled when the store is closed is told so, asked for before or after', async () => {
  const { settle, commit } = setup();
  const before = Array.from({ length: 3 }, (_, index) => settle(`n${index}`));
  commit.close();
  const all = await Promise.allSettled([...before, settle('later')]);
  for (const each of all) expect(each).toMatchObject({ reason: expect.any(StoreUnavailableError) });
});
