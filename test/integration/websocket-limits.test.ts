import { Feeder, IoClient, keyOf, PlainClient } from '../support/clients/websockets';
import { API_KEY, errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import type { Environment } from '../support/processes/relay';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { eventually } from '../support/signals/signals';

jest.setTimeout(60_000);

const apikey = API_KEY;
const instance = 'loja';

let harness: GatewayHarness;
let feeder: Feeder;

async function start(env: Environment): Promise<number> {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', ...env });
  feeder = new Feeder(harness.connectRedis(), harness.prefix);
  return harness.gateway.gatewayPort;
}
afterEach(async () => {
  feeder.close();
  await harness.close();
});

const untilCutOff = (reason: string, count: number) =>
  eventually(
    async () =>
      (await harness.gateway.metric(`relay_websocket_clients_cut_off_total{reason="${reason}"}`)) >= count
        ? true
        : undefined,
    `${count} cut off: ${reason}`,
    30_000,
  );

/** The socket below a socket.io client, which has no way to stop reading. */
function socketOf({ socket }: IoClient): { pause(): void; resume(): void } {
  const { transport } = socket.io.engine as unknown as {
    transport: { ws: { pause(): void; resume(): void } };
  };
  return transport.ws;
}

describe('a client that does not read', () => {
  const ENV = { WEBSOCKET_BUFFER_BYTES: '1048576', WEBSOCKET_PING_SECONDS: '3600' };
  const data = (index: number) => ({ data: { key: { id: `large-${index}` }, text: 'x'.repeat(500_000) } });
  const keys = Array.from({ length: 30 }, (_, index) => `large-${index}`);
  const feedLarge = async (): Promise<void> => {
    for (let index = 0; index < keys.length; index++) await feeder.feed(instance, 1, data(index));
  };

  test('plain: is cut off, while others go on; it comes back and resumes', async () => {
    const port = await start(ENV);
    const slow = await PlainClient.open(port, { apikey, instance });
    const others = [
      await PlainClient.open(port, { apikey, instance }),
      await IoClient.open(port, `/${instance}`, { apikey }),
    ];
    slow.socket.pause();
    await feedLarge();
    for (const other of others) expect((await other.received(30)).map(keyOf)).toEqual(keys);
    await untilCutOff('slow', 1);
    slow.socket.resume();
    await slow.closed;
    const seen = slow.texts.all.length;
    expect(seen).toBeLessThan(30);
    const back = await PlainClient.open(port, {
      apikey,
      instance,
      ...(seen === 0 ? { 'last-event-id': '1-0' } : { 'last-event-id': slow.lastId }),
    });
    const rest = (await back.received(30 - seen)).filter(({ event }) => event !== 'relay.gap');
    expect(rest.map(keyOf).at(0)).toBe(keys[seen]);
    for (const client of [back, ...others]) await client.close();
  });

  test('socket.io: likewise', async () => {
    const port = await start(ENV);
    const slow = await IoClient.open(port, `/${instance}`, { apikey });
    const other = await PlainClient.open(port, { apikey, instance });
    socketOf(slow).pause();
    await feedLarge();
    expect((await other.received(30)).map(keyOf)).toEqual(keys);
    await untilCutOff('slow', 1);
    await eventually(
      async () =>
        (await harness.gateway.metric('relay_websocket_clients{protocol="socket.io"}')) === 0
          ? true
          : undefined,
      'nobody left',
    );
    expect(await harness.gateway.metric('relay_websocket_clients_cut_off_total{reason="slow"}')).toBe(1);
    socketOf(slow).resume();
    expect((await slow.disconnected.count(1))[0]).toBe('transport close');
    await other.close();
  });

  test('what a client that comes back is sent, it is sent no faster than it reads', async () => {
    const port = await start({ ...ENV, WEBSOCKET_BUFFER_BYTES: '65536' });
    await feeder.feed(instance, 1);
    await feedLarge();
    const back = await PlainClient.open(port, { apikey, instance, 'last-event-id': '1-0' });
    const received = await back.received(32);
    expect(received.slice(2).map(keyOf)).toEqual(keys);
    await back.close();
  });
});

describe('a peer that is dead', () => {
  test('is found by ping, plain and socket.io; one that answers stays', async () => {
    const port = await start({ WEBSOCKET_PING_SECONDS: '1' });
    const way = await FreezingProxy.start(port);
    const dead = await PlainClient.open(way.port, { apikey, instance });
    const deadIo = await IoClient.open(way.port, `/${instance}`, { apikey });
    const alive = await PlainClient.open(port, { apikey, instance });
    const aliveIo = await IoClient.open(port, `/${instance}`, { apikey });
    way.freeze();
    await untilCutOff('dead', 1);
    await eventually(
      async () =>
        (await harness.gateway.metric('relay_websocket_clients{protocol="socket.io"}')) === 1
          ? true
          : undefined,
      'the dead one is gone',
      10_000,
    );
    const keys = await feeder.feed(instance, 2);
    expect((await alive.received(2)).map(keyOf)).toEqual(keys);
    expect((await aliveIo.received(2)).map(keyOf)).toEqual(keys);
    await way.close();
    for (const client of [dead, deadIo, alive, aliveIo]) await client.close();
  });
});

describe('how many', () => {
  test('of one instance, and in all: told by the variable’s name, and there is room again when one goes', async () => {
    const port = await start({ WEBSOCKET_MAX_CLIENTS_PER_INSTANCE: '2', WEBSOCKET_MAX_CLIENTS: '3' });
    const own = [
      await PlainClient.open(port, { apikey, instance }),
      await IoClient.open(port, `/${instance}`, { apikey }),
    ];
    const tooMany = await PlainClient.refused(port, { apikey, instance });
    expect(tooMany).toEqual({
      status: 429,
      body: errorShape(429, 'Too Many Requests', [
        expect.stringContaining('WEBSOCKET_MAX_CLIENTS_PER_INSTANCE'),
      ]),
    });
    expect((await IoClient.refused(port, `/${instance}`, { apikey })).data).toEqual(tooMany.body);
    const other = await PlainClient.open(port, { apikey, instance: 'other' });
    expect(await PlainClient.refused(port, { apikey, instance: 'third' })).toMatchObject({ status: 503 });
    for (const client of [...own, other]) await client.close();
    const again = await eventually(
      () => PlainClient.open(port, { apikey, instance }).catch(() => undefined),
      'room again',
    );
    await again.close();
  });

  test('refused and broken attempts leave no seat taken', async () => {
    const port = await start({ WEBSOCKET_MAX_CLIENTS: '1' });
    for (let index = 0; index < 3; index++) {
      await PlainClient.refused(port, { apikey, instance, 'last-event-id': 'x' });
      const answer = await harness
        .ask('GET', `/?instance=${instance}`, {
          headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '1' },
        })
        .catch(() => ({ status: 0 }));
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    const client = await PlainClient.open(port, { apikey, instance });
    await client.close();
  });
});

describe('WEBSOCKET_ALLOWED_HOSTS', () => {
  test('addresses that are named need no key', async () => {
    const port = await start({
      WEBSOCKET_ALLOWED_HOSTS: '10.0.0.1, 127.0.0.1',
      WEBSOCKET_GLOBAL_EVENTS: 'true',
    });
    const clients = [
      await PlainClient.open(port, { instance }),
      await PlainClient.open(port, { instance, apikey: 'wrong' }),
      await IoClient.open(port, `/${instance}`, {}),
    ];
    const global = await PlainClient.open(port, {});
    const keys = await feeder.feed(instance);
    for (const client of clients) expect((await client.received(1)).map(keyOf)).toEqual(keys);
    for (const client of [...clients, global]) await client.close();
    expect((await harness.ask('GET', '/settings/find/loja', { key: null })).status).toBe(401);
  });

  test('other addresses do; a header cannot say otherwise unless its proxy is trusted', async () => {
    const port = await start({ WEBSOCKET_ALLOWED_HOSTS: '10.0.0.1' });
    expect(await PlainClient.refused(port, { instance }, { 'x-forwarded-for': '10.0.0.1' })).toMatchObject({
      status: 401,
    });
    const trusting = await harness.startProcess({ GATEWAY_TRUSTED_PROXIES: '127.0.0.1/32' });
    const client = await PlainClient.open(
      trusting.gatewayPort,
      { instance },
      { 'x-forwarded-for': '10.0.0.1' },
    );
    await client.close();
    expect(
      await PlainClient.refused(
        trusting.gatewayPort,
        { instance },
        { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' },
      ),
    ).toMatchObject({ status: 401 });
  });

  test('* opens to all, as in the core API', async () => {
    const port = await start({ WEBSOCKET_ALLOWED_HOSTS: '*' });
    const client = await PlainClient.open(port, { instance });
    await client.close();
  });
});

test('without WEBSOCKET_GLOBAL_EVENTS nobody gets the events of all instances', async () => {
  const port = await start({});
  expect(await PlainClient.refused(port, { apikey })).toEqual({
    status: 403,
    body: errorShape(403, 'Forbidden', [expect.stringContaining('WEBSOCKET_GLOBAL_EVENTS')]),
  });
  expect((await IoClient.refused(port, '/', { apikey })).data).toMatchObject({ status: 403 });
});

test('a gateway that stops says goodbye, and does not wait for a client that does not answer', async () => {
  const port = await start({ SHUTDOWN_TIMEOUT_SECONDS: '20' });
  const client = await PlainClient.open(port, { apikey, instance });
  const io = await IoClient.open(port, `/${instance}`, { apikey });
  const deaf = await PlainClient.open(port, { apikey, instance });
  deaf.socket.pause();
  harness.gateway.signal('SIGTERM');
  expect(await client.closed).toEqual({ code: 1001, reason: 'shutdown' });
  await io.disconnected.count(1);
  expect(await harness.gateway.ended(10_000)).toEqual({ code: 0, signal: null });
  deaf.socket.resume();
  await deaf.close();
  io.close();
});
