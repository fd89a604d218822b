import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { SILENT } from '../../src/observability/logging';
import type { SourceMessage } from '../../src/pipeline/message';
import { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import { untilReady } from '../support/harness/sources';
import { HOST } from '../support/processes/ports';
import { FreezingProxy } from '../support/proxies/freezing-proxy';
import { splice } from '../support/proxies/splice';
import { eventually, Happenings } from '../support/signals/signals';

jest.setTimeout(120_000);

/** What must be noticed within 30 s, with room for a machine that is busy. */
const NOTICED_MS = 45_000;

let admin: ChannelModel;
let channel: ConfirmChannel;
let broker: URL;
let source: RabbitMqSource;
const name = `test-${randomUUID().slice(0, 8)}`;

beforeAll(async () => {
  broker = new URL(process.env['RABBITMQ_URI'] ?? '');
  admin = await connect(broker.href);
  channel = await admin.createConfirmChannel();
});
afterEach(() => source.close());
afterAll(async () => {
  await channel.deleteQueue(name);
  await channel.deleteExchange(name);
  await admin.close();
});

async function startedAt(port: number, query = ''): Promise<Happenings<SourceMessage>> {
  const uri = new URL(broker.href);
  uri.host = `${HOST}:${port}`;
  uri.search = query;
  source = new RabbitMqSource({
    uri: uri.href,
    frameMax: 8192,
    prefetch: 10,
    maxBytes: 1_000_000,
    exchanges: [{ name, events: 'all' }],
    topology: { mode: 'dedicated', queue: name, prefixKey: '' },
    log: SILENT,
  });
  const messages = new Happenings<SourceMessage>();
  await source.start((message) => {
    message.settle('ack');
    messages.add(message);
  });
  return messages;
}

async function publish(body: string): Promise<void> {
  channel.publish(name, 'call', Buffer.from(body));
  await channel.waitForConfirms();
}

test.each([
  ['with heartbeats', ''],
  ['without heartbeats', '?heartbeat=0'],
])(
  'a connection that goes silent without an end is made anew within 30 s, %s (finding 3.3)',
  async (_how, query) => {
    const proxy = await FreezingProxy.start(Number(broker.port));
    try {
      const messages = await startedAt(proxy.port, query);
      await untilReady(source);
      await publish('before');
      await messages.count(1);
      proxy.freeze();
      await eventually(() => (source.state.ready ? undefined : true), 'not ready any more', NOTICED_MS);
      await eventually(() => source.state.ready || undefined, 'ready again', NOTICED_MS);
      // Without heartbeats the broker still takes the old connection for a consumer: it gets up to ten of them.
      for (let count = 0; count < 12; count++) await publish('after');
      await messages.count(2);
    } finally {
      await source.close();
      await proxy.close();
    }
  },
);

test('a broker that takes connections and says nothing is given up, and tried again (finding 3.3)', async () => {
  const sockets = new Set<Socket>();
  let speaks = false;
  const server = createServer((client) => {
    if (speaks) splice(client, createConnection(Number(broker.port), broker.hostname), sockets);
    else {
      sockets.add(client);
      client.on('error', () => {});
      client.resume();
    }
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    await startedAt(address.port);
    await eventually(() => sockets.size > 0 || undefined, 'a connection');
    speaks = true;
    await eventually(() => source.state.ready || undefined, 'ready', NOTICED_MS);
    // The connection that was given up is not left open.
    await eventually(
      () => [...sockets].filter(({ destroyed }) => !destroyed).length <= 2 || undefined,
      'two sockets',
    );
  } finally {
    await source.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
