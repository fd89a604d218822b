import { streamKeys } from '../../src/destinations/websocket/stream';
import { Feeder, IoClient, keyOf, PlainClient, type Received } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import { PrivateRedis } from '../support/servers/private-services';
import { eventually } from '../support/signals/signals';

jest.setTimeout(60_000);

const apikey = API_KEY;
/** Another one in each test, as most share a gateway. */
let instance = '';
let instances = 0;

beforeEach(() => {
  instance = `loja-${instances++}`;
});

/** A client that comes back, whatever it speaks. */
interface Returning {
  readonly protocol: string;
  open(port: number, lastEventId?: string): Promise<PlainClient | IoClient>;
}

const CLIENTS: readonly Returning[] = [
  {
    protocol: 'plain',
    open: (port, last) =>
      PlainClient.open(port, { apikey, instance, ...(last === undefined ? {} : { 'last-event-id': last }) }),
  },
  {
    protocol: 'socket.io',
    open: (port, lastEventId) =>
      IoClient.open(port, `/${instance}`, { apikey, ...(lastEventId === undefined ? {} : { lastEventId }) }),
  },
];

const lastOf = (events: readonly Received[]): string => events.at(-1)?.id ?? '';

describe.each(CLIENTS)('a client that comes back ($protocol)', ({ open }) => {
  let harness: GatewayHarness;
  let feeder: Feeder;
  let port: number;

  beforeAll(async () => {
    harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
    feeder = new Feeder(harness.connectRedis(), harness.prefix);
  });
  afterAll(async () => {
    feeder.close();
    await harness.close();
  });
  beforeEach(() => {
    port = harness.gateway.gatewayPort;
  });

  test('gets what it missed and then what comes, in order, without gaps or repeats', async () => {
    const first = await open(port);
    const keys = await feeder.feed(instance, 10);
    const last = lastOf(await first.received(10));
    await first.close();
    keys.push(...(await feeder.feed(instance, 230)));
    const second = await open(port, last);
    keys.push(...(await feeder.feed(instance, 10)));
    expect((await second.received(240)).map(keyOf)).toEqual(keys.slice(10));
    await second.close();
  });

  test('one that saw nothing yet asks for an id to begin with: now', async () => {
    // Before there ever was an event, and after.
    for (let round = 0; round < 2; round++) {
      const first = await open(port, 'now');
      const [ready] = await first.received(1);
      expect(ready).toMatchObject({ event: 'relay.ready', instance, data: {} });
      await first.close();
      const keys = await feeder.feed(instance, 3);
      const second = await open(port, ready?.id);
      expect((await second.received(3)).map(keyOf)).toEqual(keys);
      await second.close();
    }
  });

  test('from the middle, any number of times', async () => {
    const first = await open(port);
    const keys = await feeder.feed(instance, 60);
    const events = await first.received(60);
    for (const index of [0, 7, 31, 58]) {
      const again = await open(port, events[index]?.id);
      expect((await again.received(59 - index)).map(keyOf)).toEqual(keys.slice(index + 1));
      await again.close();
    }
    const nothing = await open(port, lastOf(events));
    keys.push(...(await feeder.feed(instance)));
    expect((await nothing.received(1)).map(keyOf)).toEqual(keys.slice(-1));
    for (const client of [first, nothing]) await client.close();
  });

  test('also while events keep coming, and it is cut again and again', async () => {
    const first = await open(port);
    const keys = await feeder.feed(instance);
    const seen = [...(await first.received(1))];
    await first.close();
    const feeding = feeder.feed(instance, 600);
    while (seen.length < 601) {
      const client = await open(port, lastOf(seen));
      const wanted = Math.min(601 - seen.length, 90);
      const received = await client.received(wanted);
      seen.push(...received.slice());
      await client.close();
    }
    keys.push(...(await feeding));
    expect(seen.map(keyOf)).toEqual(keys);
  });

  test('also when the gateway was killed, and events came while there was none', async () => {
    const first = await open(port);
    const keys = await feeder.feed(instance, 5);
    const last = lastOf(await first.received(5));
    await harness.gateway.kill();
    keys.push(...(await feeder.feed(instance, 70)));
    await harness.startProcess({ GATEWAY_PORT: String(port) });
    const second = await open(port, last);
    keys.push(...(await feeder.feed(instance, 5)));
    expect((await second.received(75)).map(keyOf)).toEqual(keys.slice(5));
    for (const client of [first, second]) await client.close();
  });

  test('also at another gateway', async () => {
    const first = await open(port);
    const keys = await feeder.feed(instance, 5);
    const [, second] = await first.received(5);
    const { gatewayPort } = await harness.startProcess();
    const elsewhere = await open(gatewayPort, second?.id);
    expect((await elsewhere.received(3)).map(keyOf)).toEqual(keys.slice(2));
    for (const client of [first, elsewhere]) await client.close();
  });
});

describe('a window that is over', () => {
  const WINDOW = { maxAgeMs: 300_000, maxEvents: 10, maxBytes: 1_000_000 };
  let harness: GatewayHarness;
  let feeder: Feeder;

  beforeAll(async () => {
    harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
    feeder = new Feeder(harness.connectRedis(), harness.prefix, WINDOW);
  });
  afterAll(async () => {
    feeder.close();
    await harness.close();
  });

  test.each(CLIENTS)('$protocol: relay.gap comes first, then what is left', async ({ open }) => {
    const { gatewayPort } = harness.gateway;
    const first = await open(gatewayPort);
    await feeder.feed(instance);
    const last = lastOf(await first.received(1));
    const keys = await feeder.feed(instance, 25);
    const lastLost = (await first.received(26))[15]?.id ?? '';
    await first.close();
    const second = await open(gatewayPort, last);
    const [gap, ...rest] = await second.received(11);
    expect(gap).toEqual({
      event: 'relay.gap',
      instance,
      id: lastLost,
      data: { lastEventId: last, resumedAfter: lastLost },
    });
    expect(rest.map(keyOf)).toEqual(keys.slice(-10));
    // From there on nothing is missing: a client that is cut off right after the gap is told of no other one.
    const third = await open(gatewayPort, gap?.id);
    expect((await third.received(10)).map(keyOf)).toEqual(keys.slice(-10));
    await third.close();
    await second.close();
  });

  test.each(CLIENTS)('$protocol: within the window there is no gap, up to its edge', async ({ open }) => {
    const { gatewayPort } = harness.gateway;
    const first = await open(gatewayPort);
    await feeder.feed(instance);
    const last = lastOf(await first.received(1));
    await first.close();
    const keys = await feeder.feed(instance, 10);
    const second = await open(gatewayPort, last);
    expect((await second.received(10)).map(keyOf)).toEqual(keys);
    await second.close();
  });

  test.each(CLIENTS)(
    '$protocol: of a stream that is gone, or another one, everything new comes',
    async ({ open }) => {
      const { gatewayPort } = harness.gateway;
      for (const last of ['1000-0', '99999999999999-0']) {
        const client = await open(gatewayPort, last);
        const [gap] = await client.received(1);
        expect(gap).toMatchObject({ event: 'relay.gap', data: { lastEventId: last } });
        const keys = await feeder.feed(instance, 2);
        expect((await client.received(3)).slice(1).map(keyOf)).toEqual(keys);
        await client.close();
        await feeder.feed(instance, 1);
      }
    },
  );

  test.each(CLIENTS)(
    '$protocol: of a quiet instance, whose stream has expired, nothing was missed',
    async ({ open }) => {
      const { gatewayPort } = harness.gateway;
      const redis = harness.connectRedis();
      const quiet = new Feeder(harness.connectRedis(), harness.prefix, { ...WINDOW, maxAgeMs: 200 });
      const expired = () =>
        eventually(
          async () =>
            (await redis.exists(streamKeys(harness.prefix, instance).stream)) === 0 ? true : undefined,
          'expired',
        );
      const first = await open(gatewayPort);
      await quiet.feed(instance, 2);
      const [before, last] = await first.received(2);
      await first.close();
      await expired();
      const back = await open(gatewayPort, last?.id);
      const keys = await quiet.feed(instance);
      const late = await open(gatewayPort, before?.id);
      expect((await late.received(1))[0]?.event).toBe('relay.gap');
      expect((await back.received(1)).map(keyOf)).toEqual(keys);
      // Also once there are new ones, and once those are gone again.
      const again = await open(gatewayPort, last?.id);
      await expired();
      const gone = await open(gatewayPort, last?.id);
      expect((await gone.received(1))[0]?.event).toBe('relay.gap');
      const newest = await open(gatewayPort, back.lastId);
      const more = await feeder.feed(instance);
      expect((await newest.received(1)).map(keyOf)).toEqual(more);
      for (const client of [back, late, again, gone, newest]) await client.close();
      quiet.close();
      redis.disconnect();
    },
  );

  test('it is bounded by bytes as well', async () => {
    const { gatewayPort } = harness.gateway;
    const first = await PlainClient.open(gatewayPort, { apikey, instance });
    await feeder.feed(instance);
    await first.received(1);
    const last = first.lastId;
    await first.close();
    const text = 'x'.repeat(400_000);
    for (const key of ['a', 'b', 'c']) await feeder.feed(instance, 1, { data: { key: { id: key }, text } });
    const second = await PlainClient.open(gatewayPort, { apikey, instance, 'last-event-id': last });
    const [gap, ...rest] = await second.received(3);
    expect(gap?.event).toBe('relay.gap');
    expect(rest.map(keyOf)).toEqual(['b', 'c']);
    await second.close();
  });
});

describe('while Redis restarts under the gateway', () => {
  let redis: PrivateRedis;
  let harness: GatewayHarness;
  let feeder: Feeder;

  beforeEach(async () => {
    redis = await PrivateRedis.start();
    harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', REDIS_URI: redis.uri });
    feeder = new Feeder(harness.connectRedis(), harness.prefix);
  });
  afterEach(async () => {
    feeder.close();
    await harness.close();
    await redis.dispose();
  });

  test('clients stay connected, and get all that comes afterwards; those that come back get what they missed', async () => {
    const { gatewayPort } = harness.gateway;
    const clients = await Promise.all(CLIENTS.map(({ open }) => open(gatewayPort)));
    const keys = await feeder.feed(instance, 5);
    const [first] = await Promise.all(clients.map((client) => client.received(5)));
    await redis.restart();
    const other = new Feeder(harness.connectRedis(), harness.prefix);
    // Events may come before the gateway is connected again: none of them is missed.
    const later = await other.feed(instance, 120, { date_time: 'later' });
    other.close();
    for (const client of clients) {
      expect((await client.received(125)).map(keyOf)).toEqual([...keys, ...later]);
      await client.close();
    }
    for (const { open } of CLIENTS) {
      const back = await open(gatewayPort, first?.[2]?.id);
      expect((await back.received(122)).map(keyOf)).toEqual([...keys.slice(3), ...later]);
      await back.close();
    }
  });

  test('who comes while it is away is told so, and comes back', async () => {
    const { gatewayPort } = harness.gateway;
    await redis.stop();
    const refused = PlainClient.refused(gatewayPort, { apikey, instance });
    expect(await refused).toMatchObject({
      status: 503,
      body: { response: { message: [expect.stringContaining('Redis')] } },
    });
    await redis.restart();
    await harness.gateway.untilReady();
    const client = await PlainClient.open(gatewayPort, { apikey, instance });
    const other = new Feeder(harness.connectRedis(), harness.prefix);
    expect((await client.received(await other.feed(instance, 3).then(({ length }) => length))).length).toBe(
      3,
    );
    other.close();
    await client.close();
  });
});
