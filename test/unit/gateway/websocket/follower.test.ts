import { Follower, type FollowerParts } from '../../../../src/gateway/websocket/follower';
import type { Page } from '../../../../src/gateway/websocket/stream-reader';
import { FakeClient, idOf, MemoryStream } from '../../../support/harness/channel-harness';
import { deferred, turns } from '../../../support/signals/signals';

/** A follower whose pages are scripted: each read takes the next one, and hangs after the last. */
function follow(pages: readonly Partial<Page>[], parts: Partial<FollowerParts> = {}) {
  const client = new FakeClient();
  const asked: string[] = [];
  const left = [...pages];
  const follower: Follower = new Follower({
    client,
    read: async (position) => {
      asked.push(position);
      const page = left.shift();
      return page === undefined
        ? deferred<Page>().promise
        : { born: 'b', gap: undefined, messages: [], isMore: false, ...page };
    },
    meet: (met) => met.goLive(met.position),
    onSent: () => {},
    ...parts,
  });
  return { client, follower, asked };
}
const messages = (...numbers: number[]) => new MemoryStream().add(numbers);
const large = (number: number) => new MemoryStream().add([number], 300_000);

test('waiting, then live once it was sent everything', async () => {
  const { client, follower, asked } = follow([
    { messages: messages(1, 2), isMore: true },
    { messages: messages(3) },
  ]);
  const done = follower.catchUp(idOf(0));
  expect(follower.state).toBe('waiting');
  await done;
  expect([follower.state, client.ids, asked]).toEqual([
    'live',
    [idOf(1), idOf(2), idOf(3)],
    [idOf(0), idOf(2)],
  ]);
});

test('a gap comes first, with the place where it goes on', async () => {
  const gap = { lastEventId: idOf(1), resumedAfter: idOf(7) };
  const { client, follower } = follow([{ gap, messages: messages(8) }]);
  await follower.catchUp(idOf(1));
  expect(client.seen).toEqual([`[${idOf(7)}]`, idOf(8)]);
});

test('while it is not met it reads on, and asks for what comes after the last one', async () => {
  let round = 0;
  const { follower, asked } = follow([{ messages: messages(1) }, {}, { messages: messages(2) }], {
    meet: (met) => {
      if (++round === 3) met.goLive(met.position);
    },
  });
  await follower.catchUp(idOf(0));
  expect([follower.state, asked]).toEqual(['live', [idOf(0), idOf(1), idOf(1)]]);
});

test('draining while the client leaves too much unread: it asks for nothing until that has left (finding 1.13)', async () => {
  const { client, follower, asked } = follow([
    { messages: [...large(1), ...messages(2, 3)], isMore: true },
    { messages: messages(2, 3) },
  ]);
  client.reads = false;
  const done = follower.catchUp(idOf(0));
  await turns();
  expect([follower.state, client.ids, asked]).toEqual(['draining', [idOf(1)], [idOf(0)]]);
  client.takeAll();
  await done;
  expect([follower.state, client.ids, asked]).toEqual([
    'live',
    [idOf(1), idOf(2), idOf(3)],
    [idOf(0), idOf(1)],
  ]);
});

describe('a client that takes nothing', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('is disconnected after a while; one that takes something is not', async () => {
    const { client, follower } = follow([{ messages: [...large(1)], isMore: true }]);
    client.reads = false;
    const done = follower.catchUp(idOf(0));
    await turns();
    client.unreadBytes -= 100;
    jest.advanceTimersByTime(31_000);
    await turns();
    expect([follower.state, client.slow]).toEqual(['draining', 0]);
    jest.advanceTimersByTime(31_000);
    await done;
    expect([follower.state, client.slow]).toEqual(['gone', 1]);
  });
});

test.each(['before its page', 'while it drains', 'while it is met'])('gone stays gone: %s', async (when) => {
  const page = deferred<Page | undefined>();
  const met = deferred();
  const { client, follower } = follow([], {
    read: () => page.promise,
    meet: async (each) => {
      await met.promise;
      each.goLive(each.position);
    },
  });
  client.reads = when !== 'while it drains';
  const done = follower.catchUp(idOf(0));
  if (when === 'before its page') follower.leave();
  page.resolve({ born: 'b', gap: undefined, messages: large(1), isMore: false });
  await turns();
  follower.leave();
  met.resolve();
  client.takeAll();
  await done;
  expect(follower.state).toBe('gone');
  expect(client.ids).toHaveLength(when === 'before its page' ? 0 : 1);
});

test('a closed channel gives no page: gone', async () => {
  const { follower } = follow([], { read: () => Promise.resolve(undefined) });
  await follower.catchUp(idOf(0));
  expect(follower.state).toBe('gone');
});

test('what it was sent by itself is its own until it has read it; what all receive is not', async () => {
  const { client, follower } = follow([{ messages: large(1) }]);
  client.reads = false;
  client.bufferBytes = 10_000_000;
  const done = follower.catchUp(idOf(0));
  await turns();
  expect(follower.ownBytes).toBe(client.unreadBytes);
  client.takeAll();
  expect(follower.ownBytes).toBe(0);
  client.unreadBytes = 500;
  client.copiedBytes = 70;
  expect(follower.ownBytes).toBe(70);
  follower.leave();
  await Promise.race([done, turns()]);
});
