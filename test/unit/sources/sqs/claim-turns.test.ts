import {
  ClaimTurns,
  MAX_WAITING_PER_GROUP,
  TURNS,
  TURNS_PER_GROUP,
  TURNS_PER_HOST,
} from '../../../../src/sources/sqs/claim-turns';
import { turns as settle } from '../../../support/signals/signals';

const LONG_MS = 60_000;
let turns: ClaimTurns;

beforeEach(() => {
  turns = new ClaimTurns();
});
afterEach(() => turns.close());

/** Notes the groups that got a turn, in order. */
function enterAll(requests: readonly { group: string; host: string }[]): string[] {
  const granted: string[] = [];
  for (const request of requests) {
    void turns.enter(request, LONG_MS).then((isGranted) => isGranted && granted.push(request.group));
  }
  return granted;
}

const claims = (count: number, group: string, host: string) =>
  Array.from({ length: count }, () => ({ group, host }));

test('one group gets no more than its share, whatever waits', async () => {
  const granted = enterAll([...claims(50, 'sick', 'a'), ...claims(1, 'well', 'b')]);
  await settle();
  expect(granted).toEqual([...Array<string>(TURNS_PER_GROUP).fill('sick'), 'well']);
});

test('one host that does not answer leaves turns to others (finding 9.5)', async () => {
  const silent = Array.from({ length: 100 }, (_, n) => ({ group: `silent-${n}`, host: 'silent' }));
  const granted = enterAll([...silent, { group: 'well', host: 'well' }]);
  await settle();
  expect(granted).toHaveLength(TURNS_PER_HOST + 1);
  expect(granted).toContain('well');
});

test('groups take turns, each in its own order', async () => {
  const granted = enterAll([...claims(8, 'a', 'x'), ...claims(8, 'b', 'y')]);
  await settle();
  for (let n = 0; n < 4; n++) {
    turns.leave({ group: 'a', host: 'x' });
    turns.leave({ group: 'b', host: 'y' });
  }
  await settle();
  expect(granted.slice(8)).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b']);
});

test('never more than all turns at once, and none is lost', async () => {
  const requests = Array.from({ length: 200 }, (_, n) => ({ group: `g${n % 40}`, host: `h${n % 7}` }));
  let done = 0;
  let most = 0;
  await Promise.all(
    requests.map(async (request) => {
      if (!(await turns.enter(request, LONG_MS))) return;
      most = Math.max(most, turns.openCount);
      await settle(1);
      done++;
      turns.leave(request);
    }),
  );
  expect([done, most, turns.openCount, turns.waitingCount]).toEqual([200, TURNS, 0, 0]);
});

test('those that are too many are refused at once, and others of other groups are not', async () => {
  enterAll(claims(TURNS_PER_GROUP + MAX_WAITING_PER_GROUP, 'many', 'a'));
  expect(await turns.enter({ group: 'many', host: 'a' }, LONG_MS)).toBe(false);
  expect(await turns.enter({ group: 'other', host: 'b' }, LONG_MS)).toBe(true);
});

test('those that wait too long are refused, and closing refuses all', async () => {
  enterAll(claims(TURNS_PER_GROUP, 'a', 'a'));
  expect(await turns.enter({ group: 'a', host: 'a' }, 1)).toBe(false);
  const waiting = turns.enter({ group: 'a', host: 'a' }, LONG_MS);
  turns.close();
  expect([await waiting, await turns.enter({ group: 'b', host: 'b' }, LONG_MS)]).toEqual([false, false]);
});
