import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { DESTINATIONS, Modules, SOURCES } from '../../src/modules';
import { SILENT } from '../../src/observability/logging';
import { Metrics } from '../../src/observability/metrics';
import { RelayWorker } from '../../src/worker/worker';
import { freePort, HOST, untilFree } from '../support/processes/ports';
import { eventually } from '../support/signals/signals';
import { LinesBroker } from '../support/toy/lines/lines-broker';
import { linesModule } from '../support/toy/lines/lines-module';
import { eventBody } from '../support/values/events';

const modules = new Modules(DESTINATIONS, [...SOURCES, linesModule]);

let broker: LinesBroker;
let port: number;

beforeEach(async () => {
  broker = await LinesBroker.start();
  port = await freePort();
});
afterEach(() => broker.goOffline());

function create(): RelayWorker {
  const { config } = modules.loadConfig(__dirname, {
    LINES_PORT: String(broker.port),
    RABBITMQ_ENABLED: 'false',
    REDIS_URI: process.env['REDIS_URI'] ?? '',
    REDIS_PREFIX_KEY: `lifecycle-${randomBytes(6).toString('hex')}`,
    METRICS_HOST: HOST,
    METRICS_PORT: String(port),
    SHUTDOWN_TIMEOUT_SECONDS: '5',
  });
  return new RelayWorker({ modules, config, settings: new Map(), metrics: new Metrics(), log: SILENT });
}

test('a worker that never started stops, and leaves nothing behind', async () => {
  const worker = create();
  expect(await worker.stop()).toBe(true);
  expect(await worker.stop()).toBe(true);
});

test('one that is stopped while it starts consumes nothing, leaves nothing behind, and start resolves', async () => {
  broker.publish(eventBody(1));
  const worker = create();
  const started = worker.start();
  const stopped = worker.stop();
  await started;
  expect(await stopped).toBe(true);
  await untilFree(port);
  expect([broker.waiting, broker.connections]).toEqual([1, 0]);
});

test('further calls wait for the first, and starting again does nothing', async () => {
  const worker = create();
  await worker.start();
  await worker.start();
  const [first, second] = [worker.stop(), worker.stop()];
  expect(second).toBe(first);
  expect(await first).toBe(true);
  await worker.start();
  await untilFree(port);
  // The broker's side hears of the end a moment later.
  await eventually(() => (broker.connections === 0 ? true : undefined), 'the broker without connections');
});

test('one whose metrics port is taken names the variable, and stops all the same', async () => {
  const other = createServer().listen(port, HOST);
  const worker = create();
  await expect(worker.start()).rejects.toThrow(/METRICS_PORT/);
  expect(await worker.stop()).toBe(true);
  expect(broker.connections).toBe(0);
  await new Promise((resolve) => other.close(resolve));
});
