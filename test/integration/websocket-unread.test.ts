import { Agent, type IncomingMessage, request } from 'node:http';
import { Feeder, IoClient, keyOf, PlainClient } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';
import type { Environment } from '../support/processes/relay';
import { eventually } from '../support/signals/signals';
import { eventBody } from '../support/values/events';

jest.setTimeout(120_000);

const apikey = API_KEY;
const instance = 'loja';
const MB = 1_000_000;

let harness: GatewayHarness;
let feeder: Feeder;

async function start(env: Environment = {}): Promise<number> {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', WEBSOCKET_PING_SECONDS: '3600', ...env });
  feeder = new Feeder(harness.connectRedis(), harness.prefix);
  return harness.gateway.gatewayPort;
}
afterEach(async () => {
  feeder.close();
  await harness.close();
});

async function feedLarge(of: string, count: number, bytes: number): Promise<string[]> {
  const keys = Array.from({ length: count }, (_, index) => `large-${index}`);
  const text = 'x'.repeat(bytes);
  for (const id of keys)
    await feeder.feedBody(of, eventBody(1, { instance: of, data: { key: { id }, text } }));
  return keys;
}

const cutOff = (reason: string) =>
  harness.gateway.metric(`relay_websocket_clients_cut_off_total{reason="${reason}"}`);
const untilCutOff = (count: number) =>
  eventually(async () => ((await cutOff('slow')) >= count ? true : undefined), `${count} cut off`, 30_000);

/** The socket below a socket.io client, which has no way to stop reading. */
function pause({ socket }: IoClient): void {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { pause(): void } } };
  transport.ws.pause();
}

test('200 socket.io clients that do not read hold one copy of what they do not read (finding 1.8)', async () => {
  const port = await start();
  const slow = await Promise.all(
    // Each writes the name of the namespace in its own way, as far as there are any.
    Array.from({ length: 200 }, (_, index) =>
      IoClient.open(port, index % 2 === 0 ? `/${instance}` : '/%6Coja', { apikey }),
    ),
  );
  const reader = await PlainClient.open(port, { apikey, instance });
  for (const client of slow) pause(client);
  await feedLarge(instance, 1, 1000);
  await reader.received(1);
  const before = harness.gateway.peakBytes;
  const keys = await feedLarge(instance, 6, MB);
  expect((await reader.received(7)).slice(1).map(keyOf)).toEqual(keys);
  expect(harness.gateway.peakBytes - before).toBeLessThan(200 * MB);
  for (const client of [...slow, reader]) await client.close();
});

test('clients of one instance that resume and read nothing do not hold up another’s (finding 1.13)', async () => {
  const port = await start({
    WEBSOCKET_UNREAD_BYTES_PER_INSTANCE: '1000000000',
    WEBSOCKET_UNREAD_BYTES: '2000000000',
  });
  await feeder.feed(instance, 1);
  await feeder.feed('other', 1);
  const starts = await Promise.all(
    [instance, 'other'].map(async (of) => {
      const client = await PlainClient.open(port, { apikey, instance: of, 'last-event-id': '1-0' });
      await client.received(2);
      await client.close();
      return client.lastId;
    }),
  );
  await feedLarge(instance, 100, 150_000);
  const keys = await feedLarge('other', 20, 150_000);
  const slow = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const client = await PlainClient.open(port, { apikey, instance, 'last-event-id': starts[0] ?? '' });
      client.socket.pause();
      return client;
    }),
  );
  const startedAt = performance.now();
  const back = await PlainClient.open(port, { apikey, instance: 'other', 'last-event-id': starts[1] ?? '' });
  expect((await back.received(20)).map(keyOf)).toEqual(keys);
  // Ten seconds and more while the places were held by those that do not read.
  expect(performance.now() - startedAt).toBeLessThan(8000);
  for (const client of [...slow, back]) await client.close();
});

test('what is sent to single clients is bounded for all of an instance: those with most unread are cut off, and resume', async () => {
  const port = await start({ WEBSOCKET_UNREAD_BYTES_PER_INSTANCE: '8000000' });
  await feeder.feed(instance, 1);
  await feedLarge(instance, 10, MB);
  const slow = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const client = await PlainClient.open(port, { apikey, instance, 'last-event-id': '1-0' });
      client.socket.pause();
      return client;
    }),
  );
  await untilCutOff(1);
  const reader = await PlainClient.open(port, { apikey, instance, 'last-event-id': '1-0' });
  expect(await reader.received(12)).toHaveLength(12);
  for (const client of [...slow, reader]) await client.close();
});

describe('long polling', () => {
  const agent = new Agent({ keepAlive: false });

  function send(
    port: number,
    method: string,
    sid: string | undefined,
    body?: string,
  ): Promise<IncomingMessage> {
    const path = `/socket.io/?EIO=4&transport=polling${sid === undefined ? '' : `&sid=${sid}`}`;
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, method, path, agent }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }
  async function textOf(answer: IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    return text;
  }

  test('answers that are not read count as unread although the next poll comes (finding 1.8)', async () => {
    const port = await start({ WEBSOCKET_BUFFER_BYTES: '9000000' });
    const { sid } = JSON.parse((await textOf(await send(port, 'GET', undefined))).slice(1)) as {
      sid: string;
    };
    await textOf(await send(port, 'POST', sid, `40/${instance},${JSON.stringify({ apikey })}`));
    expect(await textOf(await send(port, 'GET', sid))).toContain(`40/${instance}`);
    // Each poll is answered with one event, of which nothing is read. The kernel takes 4 MB and more of
    // an answer (`tcp_wmem`, `tcp_rmem`), and what it took no longer counts: each is twice as large.
    const unread: IncomingMessage[] = [];
    for (let poll = 0; poll < 8 && (await cutOff('slow')) === 0; poll++) {
      const answer = send(port, 'GET', sid);
      answer.then((each) => unread.push(each.on('error', () => {}))).catch(() => {});
      await feedLarge(instance, 1, 8 * MB);
      await answer.catch(() => {});
    }
    await untilCutOff(1);
    for (const answer of unread) answer.destroy();
  });

  test('a client that does not poll is cut off, too', async () => {
    const port = await start({ WEBSOCKET_BUFFER_BYTES: '1000000' });
    const { sid } = JSON.parse((await textOf(await send(port, 'GET', undefined))).slice(1)) as {
      sid: string;
    };
    await textOf(await send(port, 'POST', sid, `40/${instance},${JSON.stringify({ apikey })}`));
    expect(await textOf(await send(port, 'GET', sid))).toContain(`40/${instance}`);
    await feedLarge(instance, 5, MB);
    await untilCutOff(1);
  });

  test('a client that polls is sent what it missed no faster than it polls, and gets all of it', async () => {
    const port = await start({ WEBSOCKET_BUFFER_BYTES: '2000000' });
    const transports = ['polling'];
    const client = await IoClient.open(port, `/${instance}`, { apikey, lastEventId: 'now' }, { transports });
    const [ready] = await client.received(1);
    client.close();
    const keys = await feedLarge(instance, 12, MB);
    const back = await IoClient.open(
      port,
      `/${instance}`,
      { apikey, lastEventId: ready?.id },
      { transports },
    );
    expect((await back.received(12)).map(keyOf)).toEqual(keys);
    const [next] = await feeder.feed(instance, 1);
    expect((await back.received(13)).map(keyOf)[12]).toBe(next);
    back.close();
  });
});
