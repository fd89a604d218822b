import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { Scenario } from '../support/harness/scenario';
import { Happenings } from '../support/signals/signals';
import { folderWith } from '../support/values/folders';
import { unreadableSettings } from '../support/values/unreadable-settings';

jest.setTimeout(180_000);

const KEY = randomBytes(32).toString('base64');

describe('a worker beside an instance whose settings cannot be read (finding 2.6)', () => {
  let scenario: Scenario;
  let receiver: Server;
  const received = new Happenings<string>();

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      request.resume().on('end', () => {
        response.end();
        received.add(String(request.headers['webhook-id']));
      });
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    scenario = await Scenario.start({
      env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8', SETTINGS_ENCRYPTION_KEY: KEY, RABBITMQ_PREFETCH: '20' },
    });
  });
  afterAll(async () => {
    await scenario.close();
    receiver.closeAllConnections();
    receiver.close();
  });

  const events = (instance: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      key: `${instance}-${index}`,
      routingKey: 'messages.upsert',
      body: () =>
        Buffer.from(
          JSON.stringify({
            event: 'messages.upsert',
            instance,
            data: { key: { id: `${instance}-${index}` } },
            date_time: '2026-11-21T10:00:00.000Z',
          }),
        ),
    }));

  it('its events wait parked, the others’ are delivered, and once it is mended nothing is missing', async () => {
    const redis = new Redis(scenario.env['REDIS_URI'] ?? '');
    await redis.hset(`{${scenario.name}}:settings`, 'sick', unreadableSettings(KEY)['another-key'] ?? '');
    const worker = await scenario.startWorker();
    await scenario.publishEvents([...events('sick', 100), ...events('healthy', 50)]);
    // The global webhook gets all of them, more than may be held at once.
    await scenario.untilAllAccepted();
    const { parked } = await scenario.untilAudited((line) => line.parked === 100, 'unreadable:instance/sick');
    expect([parked, received.all.length]).toEqual([100, 0]);
    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/^relay_unreadable_instances 1$/m);
    const ready = await fetch(`http://127.0.0.1:${worker.metricsPort}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({ settings: '1 instance cannot be read' }),
    ]);

    const { port } = receiver.address() as AddressInfo;
    const set = JSON.stringify({ webhook: { url: `http://127.0.0.1:${port}/` } });
    expect((await scenario.command('settings', 'set', 'sick', set)).code).toBe(0);
    // Each would be looked at again within 45 s.
    await scenario.makeDue();
    const ids = await received.count(100, 120_000);
    expect(new Set(ids).size).toBe(100);
    const own = await scenario.untilAudited((line) => line.delivered === 100, 'webhook:instance/sick');
    expect(own).toMatchObject({ accepted: 100, parked: 0, dead: 0 });
    await scenario.untilAudited(
      (line) => line.delivered === 100 && line.parked === 0,
      'unreadable:instance/sick',
    );
    redis.disconnect();
  });

  it('a wrong entry of SETTINGS_FILE leaves out its instance alone, which is caught up with once it is mended', async () => {
    const { port } = receiver.address() as AddressInfo;
    const entry = (instanceName: string, url: unknown) => ({ instanceName, webhook: { url } });
    const url = `http://127.0.0.1:${port}/`;
    const file = folderWith({
      'wrong.json': JSON.stringify([entry('file-sick', 5), entry('file-healthy', url), 'no entry at all']),
      'mended.json': JSON.stringify([entry('file-sick', url), entry('file-healthy', url)]),
    });
    const before = received.all.length;
    await scenario.stopWorkers();
    const worker = await scenario.startWorker({ SETTINGS_FILE: `${file.path}/wrong.json` });
    await scenario.publishEvents([...events('file-sick', 20), ...events('file-healthy', 20)]);
    await received.count(before + 20, 60_000);
    await scenario.untilAudited((line) => line.parked === 20, 'unreadable:instance/file-sick');
    const ready = await fetch(`http://127.0.0.1:${worker.metricsPort}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      200,
      expect.objectContaining({ settings: '2 instances cannot be read' }),
    ]);
    const metrics = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/^relay_unreadable_instances 2$/m);

    await scenario.stopWorkers();
    await scenario.startWorker({ SETTINGS_FILE: `${file.path}/mended.json` });
    await scenario.makeDue();
    const ids = await received.count(before + 40, 120_000);
    expect(new Set(ids).size).toBe(before + 40);
    file.remove();
  });
});
