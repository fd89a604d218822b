import { randomBytes } from 'node:crypto';
import { RelayGateway } from '../../src/gateway/gateway';
import { MODULES } from '../../src/modules';
import type { Logger } from '../../src/observability/logging';
import { Metrics } from '../../src/observability/metrics';
import { RawConnection } from '../support/clients/raw-connection';
import { freePort, HOST } from '../support/processes/ports';
import { eventually } from '../support/signals/signals';

const SHUTDOWN_MS = 2000;

const silent: Logger = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, isDebug: false };
let port: number;

async function create(env: Readonly<Record<string, string>> = {}): Promise<RelayGateway> {
  port = await freePort();
  const { config } = MODULES.loadConfig(__dirname, {
    AUTHENTICATION_API_KEY: 'the-key-of-this-test-alone',
    GATEWAY_HOST: HOST,
    GATEWAY_PORT: String(port),
    REDIS_URI: process.env['REDIS_URI'] ?? '',
    REDIS_PREFIX_KEY: `lifecycle-${randomBytes(6).toString('hex')}`,
    SHUTDOWN_TIMEOUT_SECONDS: String(SHUTDOWN_MS / 1000),
    WEBSOCKET_ENABLED: 'true',
    ...env,
  });
  return new RelayGateway({
    modules: MODULES,
    config,
    settings: new Map(),
    metrics: new Metrics(),
    log: silent,
  });
}

test('a gateway that never started stops, and leaves nothing behind', async () => {
  const gateway = await create();
  await gateway.stop();
  await gateway.stop();
});

test('one that is stopped while it starts does not listen, and start resolves', async () => {
  const gateway = await create();
  const started = gateway.start();
  await gateway.stop();
  await started;
  const connection = new RawConnection(port);
  await connection.untilClosed();
  expect(connection.received).toBe('');
});

test('further calls wait for the first, and starting again does nothing', async () => {
  const gateway = await create();
  await gateway.start();
  await gateway.start();
  const [first, second] = [gateway.stop(), gateway.stop()];
  expect(second).toBe(first);
  await first;
  await gateway.start();
  await new RawConnection(port).untilClosed();
});

test('clients that are stuck do not keep it beyond its deadline', async () => {
  const gateway = await create();
  await gateway.start();
  const stuck = [
    'POST /webhook/set/x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{',
    'GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(10),
    'GET /?instance=x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\napikey: the-key-of-this-test-alone\r\n\r\n',
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    'GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    'GET /',
    '',
  ];
  const connections = stuck.map(() => new RawConnection(port));
  for (const [index, connection] of connections.entries()) {
    if (index !== 2) connection.pause();
    await connection.send(stuck[index] ?? '');
  }
  await eventually(() => connections[2]?.received.includes('101') || undefined, 'the WebSocket is open');
  for (const connection of connections) connection.pause();
  const before = performance.now();
  await gateway.stop();
  expect(performance.now() - before).toBeLessThan(SHUTDOWN_MS + 15_000);
  for (const connection of connections) connection.destroy();
});
