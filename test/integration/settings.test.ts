import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import { SettingsCipher } from '../../src/settings/cipher';
import { SettingsStore } from '../../src/settings/settings-store';
import { Scenario } from '../support/harness/scenario';
import { folderWith } from '../support/values/folders';
import { settingsOf } from '../support/values/parsed-settings';

jest.setTimeout(60_000);

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: { readonly instance: string; readonly destination: string; readonly data: object };
}

/** Keeps what it receives, and answers with a status of the test's choice. */
class Recorder {
  readonly received: Received[] = [];
  status = 200;
  private readonly server: Server;
  private watch: () => void = () => {};

  constructor() {
    this.server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Received['body'];
      this.received.push({ path: request.url ?? '', headers: request.headers, body });
      response.writeHead(this.status).end();
      this.watch();
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  until(condition: (received: readonly Received[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.watch = () => condition(this.received) && resolve();
      this.watch();
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

const eventOf = (instance: string, key: string, event = 'messages.upsert') => ({
  key,
  routingKey: event,
  body: () =>
    Buffer.from(
      JSON.stringify({
        event,
        instance,
        data: { key: { id: key }, message: { base64: 'QUJD', conversation: 'Oi' } },
        date_time: '2026-11-21T10:00:00.000Z',
      }),
    ),
});

describe('instances with webhooks of their own', () => {
  let scenario: Scenario;
  let own: Recorder;
  let address: string;

  beforeEach(async () => {
    own = new Recorder();
    address = await own.listen();
    scenario = await Scenario.start({ env: { WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' } });
  });
  afterEach(async () => {
    await scenario.close();
    await own.close();
  });

  const set = async (instance: string, settings: object): Promise<void> => {
    const { code, stderr } = await scenario.command('settings', 'set', instance, JSON.stringify(settings));
    expect([code, stderr]).toEqual([0, '']);
  };

  test('an event goes to the global webhook and to the instance’s own, each with its own filter and options', async () => {
    await set('loja', {
      webhook: {
        url: `${address}/hook?a=1`,
        byEvents: true,
        base64: false,
        headers: { 'x-shop': '7' },
        events: ['MESSAGES_UPSERT'],
      },
      webhooks: {
        n8n: { url: `${address}/n8n`, base64: true, events: [] },
        off: { url: `${address}/off`, enabled: false },
      },
    });
    await scenario.startWorker();
    await scenario.publishEvents([eventOf('loja', 'A'), eventOf('loja', 'B', 'call'), eventOf('other', 'C')]);
    await scenario.untilAllAccepted();
    await own.until((received) => received.length >= 3);
    const seen = own.received.map(({ path, body }) => `${path} ${JSON.stringify(body.data)}`).sort();
    expect(seen).toEqual([
      '/hook/messages-upsert?a=1 {"key":{"id":"A"},"message":{"conversation":"Oi"}}',
      '/n8n {"key":{"id":"A"},"message":{"base64":"QUJD","conversation":"Oi"}}',
      '/n8n {"key":{"id":"B"},"message":{"base64":"QUJD","conversation":"Oi"}}',
    ]);
    const hook = own.received.find(({ path }) => path.startsWith('/hook'));
    expect(hook?.headers['x-shop']).toBe('7');
    expect(hook?.body.destination).toBe(`${address}/hook?a=1`);
    await scenario.stopWorkers();
    const lines = await Promise.all(
      ['webhook:global', 'webhook:instance/loja', 'webhook:instance/loja/n8n'].map((id) =>
        scenario.audit(id),
      ),
    );
    expect(lines.map(({ accepted, delivered }) => [accepted, delivered])).toEqual([
      [3, 3],
      [1, 1],
      [2, 2],
    ]);
  });

  test('each is retried on its own: what one refuses, the others get once', async () => {
    await set('loja', { webhook: { url: address, events: [] } });
    own.status = 503;
    const worker = await scenario.startWorker();
    await scenario.publishEvents(Array.from({ length: 20 }, (_, index) => eventOf('loja', `K${index}`)));
    await scenario.untilAllAccepted();
    await own.until((received) => received.length >= 12);
    own.status = 200;
    await scenario.untilAudited(({ delivered }) => delivered === 20, 'webhook:instance/loja');
    expect(scenario.receiver.duplicates).toBe(0);
    expect(worker.isRunning).toBe(true);
  });

  test('a change is in force in a running worker within a second', async () => {
    await scenario.startWorker();
    await scenario.publishEvents([eventOf('loja', 'before')]);
    await scenario.untilAllAccepted();
    const redis = new Redis(scenario.env['REDIS_URI'] ?? '');
    const store = new SettingsStore({
      sections: MODULES.sections,
      redis,
      prefix: scenario.name,
      cipher: new SettingsCipher([]),
    });
    const changedAt = Date.now();
    await store.update('loja', () => settingsOf({ webhook: { url: address } }));
    let number = 0;
    while (own.received.length === 0)
      await scenario.publishEvents([eventOf('loja', `after${number++}`)], 200);
    // A second at rest; a cache that hears of no change waits a minute.
    expect(Date.now() - changedAt).toBeLessThan(10_000);
    redis.disconnect();
  });

  test('a webhook of an instance reaches no private network unless that is allowed; the global one may be anywhere', async () => {
    await set('loja', { webhook: { url: address } });
    await scenario.startWorker({ WEBHOOK_ALLOWED_NETWORKS: '', WEBHOOK_RETRY_MAX_ATTEMPTS: '2' });
    await scenario.publishEvents([eventOf('loja', 'A')]);
    await scenario.untilAllAccepted();
    await scenario.untilAudited(({ dead }) => dead === 1, 'webhook:instance/loja');
    expect(own.received).toEqual([]);
    const [letter] = (await scenario.command('dead-letters', 'ls', '--json')).stdout.split('\n');
    const { id } = JSON.parse(letter ?? '') as { id: string };
    const { history } = JSON.parse((await scenario.command('dead-letters', 'show', id)).stdout) as {
      history: { outcome: object }[];
    };
    const refused = { code: 'ADDRESS_REFUSED', answer: expect.stringContaining('WEBHOOK_ALLOWED_NETWORKS') };
    expect(history.map(({ outcome }) => outcome)).toEqual([
      expect.objectContaining(refused),
      expect.objectContaining(refused),
    ]);
  });

  test('an instance’s own exchange is consumed as soon as its settings say so, and until they say otherwise', async () => {
    await scenario.startWorker();
    const instance = `${scenario.name}-own`;
    await scenario.broker.publisher.withChannel(async (channel) => {
      let returned = false;
      channel.on('return', () => {
        returned = true;
      });
      await channel.assertExchange(instance, 'topic', { durable: true });
      const isBound = async (event: string): Promise<boolean> => {
        returned = false;
        channel.publish(instance, event, eventOf(instance, event, event).body(), { mandatory: true });
        await channel.waitForConfirms();
        return !returned;
      };
      const until = async (event: string, isSo: boolean): Promise<void> => {
        while ((await isBound(event)) !== isSo);
      };
      await set(instance, { rabbitmq: { events: ['CALL'] } });
      await until('call', true);
      expect(await isBound('messages.upsert')).toBe(false);
      await set(instance, { rabbitmq: { events: [] } });
      await until('messages.upsert', true);
      const { receiver } = scenario;
      await receiver.until(() => receiver.tallies.has('messages.upsert'), 10_000, 'an event of the instance');
      await set(instance, { rabbitmq: { enabled: false } });
      await until('call', false);
      await channel.deleteExchange(instance);
    });
  });

  test('an exchange that the file names and Redis switches off is not consumed', async () => {
    const instance = `${scenario.name}-file`;
    const file = folderWith({
      'instances.json': JSON.stringify({ instanceName: instance, rabbitmq: { enabled: true } }),
    });
    await set(instance, { rabbitmq: { enabled: false } });
    await scenario.broker.publisher.withChannel(async (channel) => {
      let returned = false;
      channel.on('return', () => {
        returned = true;
      });
      await channel.assertExchange(instance, 'topic', { durable: true });
      await scenario.startWorker({ SETTINGS_FILE: `${file.path}/instances.json` });
      while (!returned) {
        channel.publish(instance, 'call', eventOf(instance, 'A', 'call').body(), { mandatory: true });
        await channel.waitForConfirms();
      }
      await channel.deleteExchange(instance);
    });
    file.remove();
  });

  test('what is parked for a webhook that is gone becomes a dead letter, and replays once it is back', async () => {
    await set('loja', { webhook: { url: address } });
    own.status = 500;
    await scenario.startWorker();
    await scenario.publishEvents([eventOf('loja', 'A')]);
    await own.until((received) => received.length >= 2);
    expect((await scenario.command('settings', 'rm', 'loja')).stdout).toBe('removed loja\n');
    await scenario.untilAudited(({ dead }) => dead === 1, 'webhook:instance/loja');
    const { stdout } = await scenario.command('dead-letters', 'ls', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'destination-removed', instance: 'loja' });
    own.status = 200;
    await set('loja', { webhook: { url: `${address}/new` } });
    await scenario.command('dead-letters', 'replay', '--all');
    await scenario.untilAudited(({ delivered }) => delivered === 1, 'webhook:instance/loja');
    expect(own.received.at(-1)?.path).toBe('/new');
  });
});
