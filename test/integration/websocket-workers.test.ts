import type { OutgoingEvent } from '../support/clients/publisher';
import { IoClient, keyOf, PlainClient } from '../support/clients/websockets';
import { API_KEY, ask, GatewayHarness, type HttpAnswer } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { freePort } from '../support/processes/ports';
import { RelayProcess } from '../support/processes/relay';

jest.setTimeout(90_000);

const apikey = API_KEY;
const WEBSOCKETS = {
  WEBSOCKET_ENABLED: 'true',
  WEBSOCKET_GLOBAL_EVENTS: 'true',
  WEBSOCKET_EVENTS_CALL: 'true',
  WEBSOCKET_EVENTS_MESSAGES_UPSERT: 'true',
};

const eventOf = (instance: string, key: string, event = 'messages.upsert'): OutgoingEvent => ({
  key,
  routingKey: event,
  body: () =>
    Buffer.from(
      JSON.stringify({
        event,
        instance,
        data: { key: { id: key }, n: 1 },
        date_time: '2026-11-21T10:00:00.000Z',
      }),
    ),
});

test('two gateways fed by one worker: every client gets what its instance’s settings say, and the global stream its own', async () => {
  const scenario = await Scenario.start({ env: WEBSOCKETS });
  const harness = await GatewayHarness.start({ ...WEBSOCKETS, REDIS_PREFIX_KEY: scenario.name });
  const set = (name: string, websocket: object): Promise<HttpAnswer> =>
    harness.ask('POST', `/websocket/set/${name}`, { body: { websocket } });
  try {
    await set('loja', { enabled: true, events: ['CALL', 'PRESENCE_UPDATE'] });
    await set('all', { enabled: true, events: [] });
    await set('off', { enabled: false, events: [] });
    await scenario.startWorker();
    await harness.startProcess();
    const clientsOf = async (query: { instance?: string }) =>
      Promise.all(
        harness.processes.map(({ gatewayPort }) => PlainClient.open(gatewayPort, { apikey, ...query })),
      );
    const loja = await clientsOf({ instance: 'loja' });
    const all = await clientsOf({ instance: 'all' });
    const off = await clientsOf({ instance: 'off' });
    const global = await clientsOf({});
    const published = ['loja', 'all', 'off'].flatMap((name) => [
      eventOf(name, `${name}-1`, 'call'),
      eventOf(name, `${name}-2`, 'messages.upsert'),
      eventOf(name, `${name}-3`, 'presence.update'),
      eventOf(name, `${name}-4`, 'call'),
    ]);
    await scenario.publishEvents(published);
    const keysOf = async (client: PlainClient, count: number) =>
      (await client.received(count)).map(keyOf).sort();
    for (const client of loja) expect(await keysOf(client, 3)).toEqual(['loja-1', 'loja-3', 'loja-4']);
    for (const client of all) expect(await keysOf(client, 4)).toEqual(['all-1', 'all-2', 'all-3', 'all-4']);
    const wanted = published
      .filter(({ routingKey }) => routingKey !== 'presence.update')
      .map(({ key }) => key);
    for (const client of global) expect(await keysOf(client, 9)).toEqual([...wanted].sort());

    // A change of the filter counts within a second; what was off is on.
    await set('loja', { enabled: true, events: ['MESSAGES_UPSERT'] });
    await set('off', { enabled: true });
    await scenario.untilAllAccepted();
    let round = 0;
    while (
      loja.some(({ texts }) => texts.all.length === 3) ||
      off.some(({ texts }) => texts.all.length === 0)
    ) {
      if (++round > 50) throw new Error('the change does not count');
      await scenario.publishEvents([eventOf('loja', `later-${round}`), eventOf('off', `off-later-${round}`)]);
      await scenario.untilAllAccepted();
    }
    expect(round).toBeLessThan(20);
    for (const client of [...loja, ...all, ...off, ...global]) await client.close();
    const { destinations, balanced } = (await harness.ask('GET', '/audit')).body as {
      balanced: boolean;
      destinations: { destination: string; dead: number }[];
    };
    expect([balanced, destinations.every(({ dead }) => dead === 0)]).toEqual([true, true]);
  } finally {
    await harness.close();
    await scenario.close();
  }
});

test('worker and gateway in one process: start', async () => {
  const scenario = await Scenario.start({ env: { ...WEBSOCKETS, AUTHENTICATION_API_KEY: API_KEY } });
  const gatewayPort = await freePort();
  const relay = await RelayProcess.start({ ...scenario.env, GATEWAY_PORT: String(gatewayPort) }, 'start');
  try {
    const body = { websocket: { enabled: true, events: [] } };
    expect((await ask(gatewayPort, 'POST', '/websocket/set/loja', { body })).status).toBe(201);
    const ws = await PlainClient.open(gatewayPort, { apikey, instance: 'loja' });
    const io = await IoClient.open(gatewayPort, '/loja', { apikey });
    await scenario.publishEvents([eventOf('loja', 'A')]);
    await scenario.untilAllAccepted();
    expect((await ws.received(1)).map(keyOf)).toEqual(['A']);
    expect((await io.received(1)).map(keyOf)).toEqual(['A']);
    await ws.close();
    io.close();
    relay.signal('SIGTERM');
    expect(await relay.ended(20_000)).toEqual({ code: 0, signal: null });
  } finally {
    if (relay.isRunning) await relay.kill();
    await scenario.close();
  }
});
