import { ChannelHarness, FakeClient, idOf, PAGE } from '../../../support/harness/channel-harness';
import { eventually } from '../../../support/signals/signals';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const ids = (from: number, to: number): string[] => range(from, to).map(idOf);
const becomes = (check: () => boolean, what: string) => eventually(() => check() || undefined, what);

test('a new client receives what comes after it, and the stream is not read for it', async () => {
  const harness = new ChannelHarness();
  harness.store(1, 2);
  const client = await harness.join();
  const { reads } = harness.stream;
  harness.append(3, 4);
  expect(client.ids).toEqual(ids(3, 4));
  expect(harness.stream.reads).toBe(reads);
});

test('what was published twice, or late, is handed on once', async () => {
  const harness = new ChannelHarness();
  const client = await harness.join();
  const published = harness.stream.add([1, 2]);
  harness.publish(published);
  harness.publish(published);
  harness.append(3);
  expect([client.ids, harness.channel.state]).toEqual([ids(1, 3), 'live']);
});

test.each([1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 1100])(
  'a client that missed %d gets them in order, and what comes meanwhile after them',
  async (missed) => {
    const harness = new ChannelHarness();
    harness.store(...range(1, missed));
    const now = await harness.channel.open();
    expect(now).toBe(idOf(missed));
    const release = harness.stream.hold();
    const client = new FakeClient();
    harness.channel.join(client, idOf(0));
    harness.append(missed + 1);
    expect(client.ids).toEqual([]);
    release();
    await becomes(() => client.ids.length >= missed + 1, 'all of it');
    harness.append(missed + 2);
    expect(client.seen).toEqual(ids(1, missed + 2));
  },
);

test('while more comes than is kept aside, the stream is read again: nothing is missing', async () => {
  const harness = new ChannelHarness(500);
  await harness.channel.open();
  const release = harness.stream.hold();
  const client = new FakeClient();
  harness.channel.join(client, idOf(0));
  harness.append(...range(1, 1500));
  release();
  await becomes(() => client.ids.length >= 1500, 'all of it');
  harness.append(1501);
  await becomes(() => client.ids.length >= 1501, 'the next one');
  expect(client.seen).toEqual(ids(1, 1501));
});

describe('a hole', () => {
  test('a message that does not follow the last one shows it: what is missing is read, for all, once', async () => {
    const harness = new ChannelHarness();
    const clients = [await harness.join(), await harness.join()];
    harness.append(1);
    const { reads } = harness.stream;
    harness.store(...range(2, 20));
    harness.append(21);
    await becomes(() => clients.every((client) => client.ids.length >= 21), 'all');
    expect(harness.stream.reads - reads).toBe(1);
    harness.append(22);
    for (const client of clients) expect(client.seen).toEqual(ids(1, 22));
  });

  test('what the stream has dropped meanwhile is a gap, told before what follows (finding 8.1)', async () => {
    const harness = new ChannelHarness();
    const clients = [await harness.join(), await harness.join()];
    harness.append(1);
    harness.store(...range(2, 100));
    harness.stream.keep(10);
    harness.append(101);
    await becomes(() => clients.every(({ ids: received }) => received.length === 12), 'what is left');
    for (const client of clients) {
      expect(client.seen).toEqual([idOf(1), `[${idOf(90)}]`, ...ids(91, 101)]);
      expect(client.notices).toEqual([
        { event: 'relay.gap', id: idOf(90), data: { lastEventId: idOf(1), resumedAfter: idOf(90) } },
      ]);
    }
  });

  test('a stream that was begun anew is a gap, although its ids may go back', async () => {
    const harness = new ChannelHarness();
    const client = await harness.join();
    harness.append(50);
    harness.stream.flush('born-2');
    harness.append(7);
    await becomes(() => client.ids.length === 2 || client.notices.length > 0, 'a gap');
    harness.append(8);
    await becomes(() => client.ids.length >= 2, 'what comes');
    expect(client.seen[1]).toMatch(/^\[/);
    expect(client.seen.slice(-1)).toEqual([idOf(8)]);
    expect(client.notices).toHaveLength(1);
  });

  test('a worker of an earlier version says nothing of the message before: the stream is asked', async () => {
    const harness = new ChannelHarness();
    const client = await harness.join();
    const [message] = harness.stream.add([1]);
    harness.channel.take(
      Object.assign(Object.create(message ?? {}), { previous: undefined, born: undefined }),
    );
    await becomes(() => client.ids.length === 1, 'the event');
    harness.append(2);
    expect(client.seen).toEqual(ids(1, 2));
  });

  test('nothing came after it: it is found when the channel is asked to look', async () => {
    const harness = new ChannelHarness();
    const client = await harness.join();
    harness.store(1, 2);
    harness.channel.recover();
    await becomes(() => client.ids.length === 2, 'both');
    expect(client.seen).toEqual(ids(1, 2));
  });
});

test('after the connection was lost, what was not heard is read, for all, once', async () => {
  const harness = new ChannelHarness();
  const clients = [await harness.join(), await harness.join()];
  harness.append(1);
  harness.store(...range(2, PAGE + 10));
  harness.channel.recover();
  // Published while it is still behind: it does not come before the others.
  harness.append(PAGE + 11);
  await becomes(() => clients.every((client) => client.ids.length >= PAGE + 11), 'all');
  harness.append(PAGE + 12);
  for (const client of clients) expect(client.seen).toEqual(ids(1, PAGE + 12));
  expect(harness.subscriptions).toBe(2);
});

test('a client that comes while the channel is behind waits for it, and misses nothing', async () => {
  const harness = new ChannelHarness();
  const first = await harness.join();
  harness.store(1, 2);
  const release = harness.stream.hold();
  harness.channel.recover();
  const joining = harness.join(idOf(0));
  harness.append(3);
  release();
  const second = await joining;
  harness.append(4);
  await becomes(() => first.ids.length + second.ids.length >= 8, 'all');
  expect([first.seen, second.seen]).toEqual([ids(1, 4), ids(1, 4)]);
});

test('that Redis is away is told, and reading goes on until it is back', async () => {
  const harness = new ChannelHarness();
  harness.store(1);
  harness.stream.failing = 1;
  const client = await harness.join(idOf(0));
  await becomes(() => client.ids.length === 1, 'the event');
  expect(harness.errors).toHaveLength(1);
});

test('a subscription that is refused is tried again: its clients are not forgotten', async () => {
  const harness = new ChannelHarness();
  const client = await harness.join();
  harness.store(1);
  harness.refusing = 1;
  harness.channel.recover();
  await becomes(() => client.ids.length === 1, 'the event');
  harness.append(2);
  await becomes(() => client.ids.length === 2, 'the next one');
  expect([harness.errors.length, harness.subscriptions]).toEqual([1, 3]);
});

test('it is empty once nobody follows it and nobody is on the way in, and says so once', async () => {
  const harness = new ChannelHarness();
  const first = await harness.join();
  await harness.channel.open();
  first.leave();
  expect(harness.empty).toBe(0);
  harness.channel.leave();
  expect([harness.empty, harness.channel.state]).toEqual([1, 'closed']);
});
