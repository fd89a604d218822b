import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FairReads } from '../../../src/network/fair-reads';

let clock: number;
let sockets: Socket[];
let resumed: Socket[];
let reads: FairReads;

function socket(readableFlowing: boolean | null = true): Socket {
  const created = {
    readableFlowing,
    destroyed: false,
    pause() {
      created.readableFlowing = false;
    },
    resume() {
      created.readableFlowing = true;
      resumed.push(created as unknown as Socket);
    },
  };
  return created as unknown as Socket;
}

beforeEach(() => {
  clock = 0;
  resumed = [];
  sockets = [socket(), socket(), socket()];
  reads = new FairReads(
    () => sockets,
    () => clock,
  );
});

const flowing = (): (boolean | null)[] => sockets.map(({ readableFlowing }) => readableFlowing);

it('nobody waits while a turn has time left', () => {
  for (const each of sockets) reads.note(each);
  clock = 10;
  for (const each of sockets) reads.note(each);
  expect(flowing()).toEqual([true, true, true]);
});

it('all wait for the next turn once the slice is used up, and those that were served go last (finding 4.5)', async () => {
  const [first, second, third] = sockets as [Socket, Socket, Socket];
  reads.note(first);
  clock = 11;
  reads.note(second);
  expect(flowing()).toEqual([false, false, false]);
  await nextTurn();
  expect(resumed).toEqual([third, first, second]);
  clock = 21;
  reads.note(third);
  expect(flowing()).toEqual([true, true, true]);
});

it('sockets that others paused, that have no reader, or are gone are left alone', async () => {
  const [first] = sockets as [Socket];
  const upgraded = socket(null);
  const paused = socket(false);
  sockets = [first, upgraded, paused];
  reads.note(first);
  clock = 11;
  reads.note(first);
  expect(flowing()).toEqual([false, null, false]);
  // Upgraded in the meantime: what comes before its new reader does would be lost.
  Object.assign(first, { readableFlowing: null });
  await nextTurn();
  expect(resumed).toEqual([]);
});
