import { PAGE } from '../../../../src/gateway/websocket/stream-reader';
import { ChannelBench, FakeClient, idOf } from '../../../support/channel-bench';
import { eventually, turns } from '../../../support/signals';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
const ids = (from: number, to: number): string[] => range(from, to).map(idOf);

async function join(bench: ChannelBench, position?: string): Promise<FakeClient & { leave: () => void }> {
  const now = await bench.channel.open();
  const client = new FakeClient();
  return Object.assign(client, { leave: bench.channel.join(client, position ?? now) });
}

test('a new client receives what comes after it, and the stream is not read for it', async () => {
  const bench = new ChannelBench();
  bench.store(1, 2);
  const client = await join(bench);
  const { reads } = bench;
  bench.append(3, 4);
  expect(client.ids).toEqual(ids(3, 4));
  expect(bench.reads).toBe(reads);
});

test('what was published twice, or late, is handed on once', async () => {
  const bench = new ChannelBench();
  const client = await join(bench);
  bench.append(1, 2);
  bench.channel.take(bench.entries[0] as never);
  bench.append(3);
  expect(client.ids).toEqual(ids(1, 3));
});

test.each([1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, 1100])(
  'a client that missed %d gets them in order, and what comes meanwhile after them',
  async (missed) => {
    const bench = new ChannelBench();
    bench.store(0, ...range(1, missed));
    const now = await bench.channel.open();
    expect(now).toBe(idOf(missed));
    const release = bench.hold();
    const client = new FakeClient();
    bench.channel.join(client, idOf(0));
    bench.append(missed + 1);
    expect(client.ids).toEqual([]);
    release();
    await eventually(() => (client.ids.length >= missed + 1 ? true : undefined), 'all of it');
    bench.append(missed + 2);
    expect(client.ids).toEqual(ids(1, missed + 2));
  },
);

test('while more comes than is remembered, the stream is read again: nothing is missing', async () => {
  const bench = new ChannelBench();
  bench.store(0);
  await bench.channel.open();
  const release = bench.hold();
  const client = new FakeClient();
  bench.channel.join(client, '0-0');
  bench.append(...range(1, 1500));
  release();
  await eventually(() => (client.ids.length >= 1501 ? true : undefined), 'all of it');
  expect(client.ids).toEqual(ids(0, 1500));
});

test('after the connection was lost, what was not heard is read, for all, once', async () => {
  const bench = new ChannelBench();
  const clients = [await join(bench), await join(bench)];
  bench.append(1);
  bench.store(...range(2, PAGE + 10));
  bench.channel.resume();
  // Published while it is still behind: left to be read, so that it does not come before the others.
  bench.append(PAGE + 11);
  await eventually(
    () => (clients.every((client) => client.ids.length >= PAGE + 11) ? true : undefined),
    'all',
  );
  bench.append(PAGE + 12);
  for (const client of clients) expect(client.ids).toEqual(ids(1, PAGE + 12));
  expect(bench.subscriptions).toBe(2);
});

test('a client that comes while the channel is behind waits for it, and misses nothing', async () => {
  const bench = new ChannelBench();
  const first = await join(bench);
  bench.store(1, 2);
  const release = bench.hold();
  bench.channel.resume();
  const joining = join(bench, '0-0');
  bench.append(3);
  release();
  const second = await joining;
  bench.append(4);
  await eventually(() => (first.ids.length + second.ids.length >= 8 ? true : undefined), 'all');
  expect([first.ids, second.ids]).toEqual([ids(1, 4), ids(1, 4)]);
});

test('that Redis is away is told, and reading goes on until it is back', async () => {
  const bench = new ChannelBench();
  bench.store(1);
  bench.failing = 1;
  const client = await join(bench, '0-0');
  await eventually(() => (client.ids.length === 1 ? true : undefined), 'the event');
  expect(bench.errors).toHaveLength(1);
});

test('a subscription that is refused is tried again: its clients are not forgotten', async () => {
  const bench = new ChannelBench();
  const client = await join(bench);
  bench.store(1);
  bench.refusing = 1;
  bench.channel.resume();
  await eventually(() => (client.ids.length === 1 ? true : undefined), 'the event');
  bench.append(2);
  await eventually(() => (client.ids.length === 2 ? true : undefined), 'the next one');
  expect([bench.errors.length, bench.subscriptions]).toEqual([1, 3]);
});

test('a client is sent its past no faster than it takes it', async () => {
  const bench = new ChannelBench();
  bench.store(...range(1, 10));
  await bench.channel.open();
  const client = new FakeClient();
  client.isFull = true;
  bench.channel.join(client, '0-0');
  await turns();
  expect(client.ids).toEqual(ids(1, 1));
  client.takeAll();
  await turns();
  expect(client.ids).toEqual(ids(1, 10));
});

test('a client that goes while it is sent its past ends that', async () => {
  const bench = new ChannelBench();
  bench.store(...range(1, 10));
  await bench.channel.open();
  const client = new FakeClient();
  client.isFull = true;
  const leave = bench.channel.join(client, '0-0');
  await turns();
  client.isGone = true;
  client.takeAll();
  await turns();
  expect(client.ids).toEqual(ids(1, 1));
  leave();
  expect(bench.empty).toBe(1);
});

test('it is empty once nobody follows it and nobody is on the way in, and says so once', async () => {
  const bench = new ChannelBench();
  const first = await join(bench);
  await bench.channel.open();
  first.leave();
  expect(bench.empty).toBe(0);
  bench.channel.leave();
  expect(bench.empty).toBe(1);
});
