import { Redis } from 'ioredis';
import { streamKeys } from '../../src/destinations/websocket/stream';
import { Feeder, IoClient, keyOf, PlainClient, type Received } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { PrivateRedis } from '../support/servers/private-services';
import { eventually } from '../support/signals/signals';
import { eventBody } from '../support/values/events';

jest.setTimeout(120_000);

const apikey = API_KEY;
const instance = 'loja';

const OPEN = {
  plain: (port: number, last?: string) =>
    PlainClient.open(port, { apikey, instance, ...(last === undefined ? {} : { 'last-event-id': last }) }),
  'socket.io': (port: number, lastEventId?: string) =>
    IoClient.open(port, `/${instance}`, { apikey, ...(lastEventId === undefined ? {} : { lastEventId }) }),
} as const;
const PROTOCOLS = ['plain', 'socket.io'] as const;
type TestClient = PlainClient | IoClient;

const portOf = ({ uri }: PrivateRedis): number => Number(new URL(uri).port);

/** Waits for the event with this key; returns everything until then. */
async function until(client: TestClient, key: string): Promise<Received[]> {
  return eventually(async () => {
    const all = await client.received(0);
    return all.some((event) => event.event !== 'relay.gap' && keyOf(event) === key) ? all : undefined;
  }, `event ${key}`);
}

/** Every event of `keys` was received, in order, or a gap was told right before the first one after a hole. */
function expectNothingLostSilently(received: readonly Received[], keys: readonly string[]): void {
  let [place, isTold] = [-1, false];
  for (const event of received) {
    if (event.event === 'relay.gap') isTold = true;
    if (event.event.startsWith('relay.')) continue;
    const next = keys.indexOf(keyOf(event));
    if (next !== place + 1) expect([keyOf(event), isTold, next > place]).toEqual([keyOf(event), true, true]);
    [place, isTold] = [next, false];
  }
  expect(place).toBe(keys.length - 1);
}

describe('a client that stays connected', () => {
  let redis: PrivateRedis;
  let harness: GatewayHarness;
  let port: number;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
    harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', REDIS_URI: redis.uri });
    port = harness.gateway.gatewayPort;
  });
  afterEach(async () => {
    await harness.close();
    await redis.dispose();
  });

  const feederOf = (maxEvents = 1000): Feeder =>
    new Feeder(harness.connectRedis(), harness.prefix, {
      maxAgeMs: 300_000,
      maxEvents,
      maxBytes: 100_000_000,
    });

  test('a message that never reached the gateway is made up for when the next one comes (finding 3.21)', async () => {
    const feeder = feederOf();
    const silent = harness.connectRedis();
    const clients = await Promise.all(PROTOCOLS.map((protocol) => OPEN[protocol](port)));
    const keys = await feeder.feed(instance, 3);
    for (const client of clients) await client.received(3);
    // Published to a channel that nobody hears, as when a Cluster has moved the subscription.
    await silent.acl('SETUSER', 'default', '-publish');
    await expect(feeder.feed(instance, 1)).rejects.toThrow('not fed');
    await silent.acl('SETUSER', 'default', '+publish');
    const { stream, meta } = streamKeys(harness.prefix, instance);
    const [lost] = (await silent.xrevrange(stream, '+', '-', 'COUNT', 1))[0] ?? [];
    keys.push('3EB04', ...(await feeder.feed(instance, 2)));
    for (const client of clients) {
      const received = await until(client, keys.at(-1) ?? '');
      expectNothingLostSilently(received, keys);
      expect(received.filter(({ event }) => event === 'relay.gap')).toHaveLength(0);
    }
    expect([lost, await silent.exists(meta)]).toEqual([expect.any(String), 1]);
    silent.disconnect();
    for (const client of clients) await client.close();
    feeder.close();
  });

  test('also where it was the last one, and nothing comes after it, within 30 s (finding 3.21)', async () => {
    const feeder = feederOf();
    const admin = harness.connectRedis();
    const client = await OPEN.plain(port);
    const keys = await feeder.feed(instance, 3);
    await client.received(3);
    await admin.acl('SETUSER', 'default', '-publish');
    await expect(feeder.feed(instance, 1)).rejects.toThrow('not fed');
    await admin.acl('SETUSER', 'default', '+publish');
    keys.push('3EB04');
    expect((await client.texts.count(4, 30_000)).length).toBe(4);
    expectNothingLostSilently(await client.received(4), keys);
    admin.disconnect();
    await client.close();
    feeder.close();
  });

  test.each([
    [
      'its stream',
      async (admin: { del(...keys: string[]): Promise<unknown> }, prefix: string) => {
        const { stream, meta } = streamKeys(prefix, instance);
        await admin.del(stream, meta);
      },
    ],
    [
      'everything',
      async (admin: { flushall(): Promise<unknown> }) => {
        await admin.flushall();
      },
    ],
  ] as const)(
    '%s was deleted: it is told so, whether an event comes afterwards or not',
    async (_what, forget) => {
      const feeder = feederOf();
      const admin = harness.connectRedis();
      const clients = await Promise.all(PROTOCOLS.map((protocol) => OPEN[protocol](port)));
      const quiet = await PlainClient.open(port, { apikey, instance: 'quiet' });
      await feeder.feed('quiet', 1);
      await quiet.received(1);
      const before = await feeder.feed(instance, 3);
      for (const client of clients) await client.received(3);
      await forget(admin as never, harness.prefix);
      const keys = await feeder.feed(instance, 2);
      for (const client of clients) {
        const received = await until(client, keys.at(-1) ?? '');
        expect(received.map(({ event }) => event)).toEqual([
          ...before.map(() => 'messages.upsert'),
          'relay.gap',
          ...keys.map(() => 'messages.upsert'),
        ]);
      }
      if (_what === 'everything') {
        await quiet.texts.count(2, 30_000);
        expect((await quiet.received(2))[1]).toMatchObject({ event: 'relay.gap' });
      }
      admin.disconnect();
      for (const client of [...clients, quiet]) await client.close();
      feeder.close();
    },
  );

  test('Redis came back empty while events came: it is told so', async () => {
    const feeder = feederOf();
    const client = await OPEN.plain(port);
    await feeder.feed(instance, 3);
    await client.received(3);
    feeder.close();
    await redis.stop();
    await redis.restart();
    const admin = harness.connectRedis();
    await admin.flushall();
    const other = feederOf();
    await other.feed(instance, 2);
    expect((await client.received(6))[3]?.event).toBe('relay.gap');
    admin.disconnect();
    other.close();
    await client.close();
  });
});

describe('a client whose gateway is away from Redis', () => {
  let redis: PrivateRedis;
  let way: FreezingProxy;
  let harness: GatewayHarness;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
    way = await FreezingProxy.start(portOf(redis));
    harness = await GatewayHarness.start({
      WEBSOCKET_ENABLED: 'true',
      REDIS_URI: `redis://127.0.0.1:${way.port}`,
    });
  });
  afterEach(async () => {
    await harness.close();
    await way.close();
    await redis.dispose();
  });

  test.each(PROTOCOLS)(
    '%s: for longer than the window reaches, is told so before what follows (finding 8.1)',
    async (protocol) => {
      const feeder = new Feeder(new Redis(redis.uri), harness.prefix, {
        maxAgeMs: 300_000,
        maxEvents: 200,
        maxBytes: 100_000_000,
      });
      const client = await OPEN[protocol](harness.gateway.gatewayPort);
      const keys = await feeder.feed(instance, 5);
      await client.received(5);
      const { port } = way;
      await way.close();
      keys.push(...(await feeder.feed(instance, 1000)));
      way = await FreezingProxy.start(portOf(redis), port);
      await harness.gateway.untilReady();
      keys.push(...(await feeder.feed(instance, 3)));
      const received = await until(client, keys.at(-1) ?? '');
      expectNothingLostSilently(received, keys);
      expect(received.filter(({ event }) => event === 'relay.gap')).toHaveLength(1);
      expect(received.length).toBeGreaterThanOrEqual(5 + 190);
      await client.close();
      feeder.close();
    },
  );
});

describe('a client that comes back', () => {
  let harness: GatewayHarness;
  let feeder: Feeder;
  let port: number;

  beforeEach(async () => {
    harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
    port = harness.gateway.gatewayPort;
    feeder = new Feeder(harness.connectRedis(), harness.prefix, {
      maxAgeMs: 300_000,
      maxEvents: 100,
      maxBytes: 100_000_000,
    });
  });
  afterEach(async () => {
    feeder.close();
    await harness.close();
  });

  test('and is overtaken by the window while it reads what it missed is told so in the middle (finding 8.2)', async () => {
    const text = 'x'.repeat(200_000);
    const feedLarge = async (from: number, count: number): Promise<string[]> => {
      const keys = Array.from({ length: count }, (_, index) => `large-${from + index}`);
      for (const id of keys)
        await feeder.feedBody(instance, eventBody(1, { instance, data: { key: { id }, text } }));
      return keys;
    };
    const keys = await feedLarge(0, 90);
    const first = await PlainClient.open(port, { apikey, instance, 'last-event-id': '1-0' });
    const [, start] = await first.received(2);
    await first.close();
    const slow = await PlainClient.open(port, { apikey, instance, 'last-event-id': start?.id ?? '' });
    slow.socket.pause();
    keys.push(...(await feedLarge(90, 150)));
    slow.socket.resume();
    const received = [start as Received, ...(await until(slow, keys.at(-1) ?? ''))];
    expectNothingLostSilently(received, keys);
    // Some of what it missed came before the window went on.
    expect(received.findIndex(({ event }) => event === 'relay.gap')).toBeGreaterThan(1);
    await slow.close();
  });

  test('with an id that another Redis gave it is told so, although such an id could be one of this stream', async () => {
    await feeder.feed(instance, 3);
    const first = await PlainClient.open(port, { apikey, instance, 'last-event-id': '1-0' });
    const [, , second] = await first.received(4);
    await first.close();
    // The same millisecond, as two servers under the same load have; the number within it is another stream's.
    const foreign = `${second?.id.split('-')[0]}-0`;
    const client = await PlainClient.open(port, { apikey, instance, 'last-event-id': foreign });
    expect((await client.received(1))[0]).toMatchObject({
      event: 'relay.gap',
      data: { lastEventId: foreign },
    });
    await client.close();
  });

  test('to a stream that never had an event: the id it was given is known, and that of another stream is not', async () => {
    const first = await PlainClient.open(port, { apikey, instance, 'last-event-id': 'now' });
    const [ready] = await first.received(1);
    await first.close();
    const redis = harness.connectRedis();
    const { stream, meta } = streamKeys(harness.prefix, instance);
    await feeder.feed(instance, 2);
    await redis.del(stream, meta);
    await feeder.feed(instance, 1);
    const back = await PlainClient.open(port, { apikey, instance, 'last-event-id': ready?.id ?? '' });
    expect((await back.received(2)).map(({ event }) => event)).toEqual(['relay.gap', 'messages.upsert']);
    redis.disconnect();
    await back.close();
  });
});
