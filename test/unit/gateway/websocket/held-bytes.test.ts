import { Follower } from '../../../../src/gateway/websocket/follower';
import { HeldBytes } from '../../../../src/gateway/websocket/held-bytes';
import type { Channel } from '../../../../src/gateway/websocket/stream-channel';
import { FakeClient } from '../../../support/harness/channel-harness';

const KB = 1000;

/** A stream's followers, with so many bytes unread each, in KB. */
function channelOf(unread: readonly number[], isOwn: boolean) {
  const clients = unread.map((kilobytes) => {
    const client = new FakeClient();
    client.unreadBytes = kilobytes * KB;
    if (isOwn) client.copiedBytes = client.unreadBytes;
    return client;
  });
  const followers = clients.map(
    (client) =>
      new Follower({ client, read: () => Promise.resolve(undefined), meet: () => {}, onSent: () => {} }),
  );
  return { channel: { all: new Set(followers) } as unknown as Channel, clients };
}
const cut = (clients: readonly FakeClient[]) => clients.map(({ isGone }) => isGone);

test('what is the same for all counts once: many slow clients of one stream are nobody’s trouble (finding 1.8)', () => {
  const held = new HeldBytes({ maxBytes: 1000 * KB, maxBytesPerStream: 500 * KB });
  const { channel, clients } = channelOf(Array(200).fill(400), false);
  held.add(channel, 2000 * KB);
  expect(cut(clients)).toEqual(clients.map(() => false));
});

test('what each has by itself counts for each: those with most unread go first (finding 1.8)', () => {
  const held = new HeldBytes({ maxBytes: 10_000 * KB, maxBytesPerStream: 1000 * KB });
  const { channel, clients } = channelOf([100, 700, 50, 300], true);
  held.add(channel, 2000 * KB);
  expect(cut(clients)).toEqual([false, true, false, false]);
});

test('one stream’s clients do not pay for another’s, unless all together hold too much', () => {
  const held = new HeldBytes({ maxBytes: 10_000 * KB, maxBytesPerStream: 1000 * KB });
  const small = channelOf([100, 200], true);
  const large = channelOf([900, 900], true);
  held.add(small.channel, 300 * KB);
  held.add(large.channel, 1800 * KB);
  expect([cut(small.clients), cut(large.clients)]).toEqual([
    [false, false],
    [true, true],
  ]);
});

test('in all: across streams', () => {
  const held = new HeldBytes({ maxBytes: 1000 * KB, maxBytesPerStream: 900 * KB });
  const channels = [channelOf([300], true), channelOf([500], true), channelOf([400], true)];
  for (const { channel, clients } of channels) held.add(channel, clients[0]?.unreadBytes ?? 0);
  expect(channels.map(({ clients }) => cut(clients))).toEqual([[false], [true], [false]]);
});

test('nothing is counted until so much was sent that the limit may be exceeded', () => {
  const held = new HeldBytes({ maxBytes: 1000 * KB, maxBytesPerStream: 1000 * KB });
  const { channel, clients } = channelOf([5000], true);
  held.add(channel, 900 * KB);
  expect(cut(clients)).toEqual([false]);
  held.add(channel, 200 * KB);
  expect(cut(clients)).toEqual([true]);
});

test('what many share is given back only when the last of them is gone: all of them go', () => {
  const held = new HeldBytes({ maxBytes: 100 * KB, maxBytesPerStream: 1000 * KB });
  const shared = channelOf(Array(50).fill(200), false);
  const other = channelOf([10], false);
  held.add(other.channel, 10 * KB);
  held.add(shared.channel, 200 * KB);
  expect(cut(shared.clients).every(Boolean)).toBe(true);
  expect(cut(other.clients)).toEqual([false]);
});
