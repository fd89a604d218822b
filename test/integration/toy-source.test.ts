import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { examine } from '../../src/doctor/doctor';
import { DESTINATIONS, Modules, SOURCES } from '../../src/modules';
import { SILENT } from '../../src/observability/logging';
import { Metrics } from '../../src/observability/metrics';
import { readSettingsFile } from '../../src/settings/settings-file';
import { RelayWorker } from '../../src/worker/worker';
import { freePort, HOST } from '../support/processes/ports';
import { HttpTarget } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';
import { LinesBroker } from '../support/toy/lines/lines-broker';
import { linesModule } from '../support/toy/lines/lines-module';
import { eventBody } from '../support/values/events';
import { folderWith } from '../support/values/folders';

/** The one line by which a source becomes part of the relay. */
const modules = new Modules(DESTINATIONS, [...SOURCES, linesModule]);

const SETTINGS = JSON.stringify([
  { instanceName: 'tenant', lines: { enabled: true, events: [] } },
  { instanceName: 'other', lines: { enabled: false, events: [] } },
]);

describe('a source that is added by a folder and one line', () => {
  const prefix = `toy-${randomBytes(6).toString('hex')}`;
  const folder = folderWith({ 'instances.json': SETTINGS });
  let broker: LinesBroker;
  let receiver: HttpTarget;
  let environment: Record<string, string>;

  beforeAll(async () => {
    [broker, receiver] = await Promise.all([LinesBroker.start(), HttpTarget.start()]);
    environment = {
      LINES_PORT: String(broker.port),
      RABBITMQ_ENABLED: 'false',
      REDIS_URI: process.env['REDIS_URI'] ?? '',
      REDIS_PREFIX_KEY: prefix,
      METRICS_HOST: HOST,
      METRICS_PORT: String(await freePort()),
      SETTINGS_FILE: 'instances.json',
      WEBHOOK_GLOBAL_ENABLED: 'true',
      WEBHOOK_GLOBAL_URL: receiver.url,
    };
  });
  afterAll(async () => {
    await Promise.all([broker.goOffline(), receiver.stop()]);
    folder.remove();
    const redis = new Redis(environment['REDIS_URI'] ?? '');
    const keys = await redis.keys(`{${prefix}}*`);
    if (keys.length > 0) await redis.del(keys);
    redis.disconnect();
  });

  const load = () => {
    const { config, warnings } = modules.loadConfig(folder.path, environment);
    const { settings } = readSettingsFile(modules.sections, folder.path, config.settings.file);
    return { modules, config, warnings, settings };
  };

  test('brings its variables and its section of the settings', () => {
    expect(modules.variables).toHaveProperty('LINES_PORT');
    expect(modules.envExample()).toContain('LINES_PORT=4000');
    expect(load().settings.get('tenant')).toMatchObject({ lines: { enabled: true } });
  });

  test('is consumed, follows the settings of instances, and is drained', async () => {
    const metrics = new Metrics();
    const { config, settings } = load();
    const worker = new RelayWorker({ modules, config, settings, metrics, log: SILENT });
    broker.publish(eventBody(1));
    broker.publish(eventBody(2), 'messages.upsert', 'tenant');
    broker.publish(eventBody(3), 'messages.upsert', 'other');
    await worker.start();
    await receiver.received.count(2);
    // What nobody consumes stays, and is shown.
    const depth = await eventually(async () => {
      const text = await metrics.registry.getSingleMetricAsString('relay_source_queue_depth');
      return /queue="lines"\} (\d+)/.exec(text)?.[1];
    }, 'the depth');
    expect([depth, broker.waiting]).toEqual(['1', 1]);
    const { host, port } = config.metrics;
    const ready = (await (await fetch(`http://${host}:${port}/readyz`)).json()) as Record<string, unknown>;
    expect(ready).toMatchObject({ lines: 'consuming' });
    expect(await worker.stop()).toBe(true);
    expect([receiver.received.all.length, broker.waiting]).toEqual([2, 1]);
  });

  test('is inspected by doctor', async () => {
    const finding = async (): Promise<unknown> =>
      (await examine(load())).find(({ part }) => part === 'lines');
    expect(await finding()).toMatchObject({ check: 'connection', state: 'ok' });
    await broker.goOffline();
    expect(await finding()).toMatchObject({ state: 'trouble', detail: 'ECONNREFUSED' });
  });
});
