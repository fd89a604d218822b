import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { MODULES } from '../../src/modules';
import type { Finding } from '../../src/observability/finding';
import { SettingsCipher } from '../../src/settings/cipher';
import { SettingsStore } from '../../src/settings/settings-store';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { runCommand } from '../support/processes/command';
import { freePort } from '../support/processes/ports';
import { folderWith } from '../support/values/folders';

const folder = folderWith();
let rabbit: RabbitHarness;
let webhook: Server;
let url: string;

beforeEach(async () => {
  rabbit = await RabbitHarness.open();
  webhook = createServer().listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/webhook`;
});
afterEach(async () => {
  webhook.close();
  await rabbit.close();
});
afterAll(folder.remove);

const environment = (): Record<string, string> => ({
  RABBITMQ_URI: process.env['RABBITMQ_URI'] ?? '',
  RABBITMQ_EXCHANGE_NAME: rabbit.exchange,
  RABBITMQ_QUEUE: rabbit.queue,
  RABBITMQ_PREFIX_KEY: rabbit.prefix,
  REDIS_URI: process.env['REDIS_URI'] ?? '',
  REDIS_PREFIX_KEY: rabbit.prefix,
  WEBHOOK_GLOBAL_URL: url,
  AUTHENTICATION_API_KEY: 'a-key-of-the-operator',
});

async function doctor(
  others: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; text: string; of: (part: string, check: string) => Finding | undefined }> {
  const { code, stdout, stderr } = await runCommand(
    ['doctor', '--json'],
    { ...environment(), ...others },
    folder.path,
  );
  expect(stderr).toBe('');
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  const of = (part: string, check: string) =>
    findings.find((finding) => finding.part === part && finding.check === check);
  return { code, text: stdout, of };
}

/** Settings of one instance, removed with the returned function. */
async function setUp(
  instance: string,
  settings: object,
  keys: readonly string[] = [],
): Promise<() => Promise<void>> {
  const redis = new Redis(process.env['REDIS_URI'] ?? '');
  const store = new SettingsStore({
    sections: MODULES.sections,
    redis,
    prefix: rabbit.prefix,
    cipher: new SettingsCipher(keys),
  });
  await store.update(instance, () => ({ webhooks: {}, ...settings }));
  return async () => {
    const parts = ['', ':exchanges', ':queues', ':tokens', ':version', ':changes'];
    await redis.del(...parts.map((part) => `{${rabbit.prefix}}:settings${part}`));
    redis.disconnect();
  };
}

describe('the doctor', () => {
  test('a wrong configuration is JSON, too, as programs read it: exit 2', async () => {
    const wrong = { ...environment(), REDIS_URI: 'nonsense', GATEWAY_PORT: 'x' };
    const { code, stdout, stderr } = await runCommand(['doctor', '--json'], wrong, folder.path);
    const about = { part: 'configuration', check: 'variables', state: 'trouble' };
    expect(code).toBe(2);
    expect(stderr).toMatch(/^wrong configuration:/);
    expect(JSON.parse(stdout)).toEqual({
      healthy: false,
      findings: [
        { ...about, detail: expect.stringMatching(/^REDIS_URI: /) },
        { ...about, detail: expect.stringMatching(/^GATEWAY_PORT: /) },
      ],
    });
  });

  test('all is well: exit 0, and what is not there yet is only noted', async () => {
    const { code, of } = await doctor();
    expect(of('rabbitmq', 'connection')?.state).toBe('ok');
    expect(of('rabbitmq', `exchange ${rabbit.exchange}`)?.state).toBe('ok');
    expect(of('rabbitmq', `queue ${rabbit.queue}`)).toMatchObject({ state: 'note' });
    expect(of('redis', 'clock')?.state).toBe('ok');
    expect(of('webhook:global', 'connection')).toMatchObject({ state: 'ok', detail: new URL(url).origin });
    expect(code).toBe(0);
  });

  test('it changes nothing: neither exchange nor queue is declared by it', async () => {
    const missing = `${rabbit.prefix}.missing`;
    const { of } = await doctor({ RABBITMQ_EXCHANGE_NAME: missing, RABBITMQ_QUEUE: missing });
    expect(of('rabbitmq', `exchange ${missing}`)?.state).toBe('note');
    await expect(rabbit.tryOn((channel) => channel.checkExchange(missing))).rejects.toThrow('NOT_FOUND');
    await expect(rabbit.tryOn((channel) => channel.checkQueue(missing))).rejects.toThrow('NOT_FOUND');
  });

  test('events that an instance waits for in vain are noted, with what does not name them', async () => {
    const undo = await setUp('loja-centro', { webhook: { url, events: ['CALL'] } });
    const { of } = await doctor({ RABBITMQ_EVENTS_MESSAGES_UPSERT: 'true' });
    await undo();
    expect(of('settings', 'events')).toMatchObject({
      state: 'note',
      detail: expect.stringMatching(
        /^"loja-centro": webhook\.events: no source brings CALL, which RABBITMQ_EVENTS_… /,
      ),
    });
  });

  test('an exchange of another type is named, with what helps; a queue with other arguments is consumed', async () => {
    const fanout = await rabbit.declareExchange(`${rabbit.prefix}.fanout`, 'fanout');
    await rabbit.channel.assertQueue(rabbit.queue, { durable: true });
    const { code, of } = await doctor({ RABBITMQ_EXCHANGE_NAME: fanout });
    const exchange = of('rabbitmq', `exchange ${fanout}`);
    const queue = of('rabbitmq', `arguments of queue ${rabbit.queue}`);
    expect([exchange?.state, queue?.state, code]).toEqual(['trouble', 'note', 1]);
    expect(exchange?.detail).toContain('RABBITMQ_EXCHANGE_NAME');
    expect(queue?.detail).toContain('consumed as it is');
  });

  test('a queue of the core API that nobody reads is noted, with what helps: the default mode can be green (finding 7.7)', async () => {
    const orphan = `${rabbit.prefix}.messages.upsert`;
    await rabbit.declareQueue(orphan, rabbit.exchange, 'messages.upsert');
    await rabbit.publish('{}');
    const { code, of } = await doctor();
    expect(of('rabbitmq', `queue ${orphan}`)).toMatchObject({
      state: 'note',
      detail: expect.stringMatching(/^1 message that nobody reads.*RABBITMQ_CONSUME=shared.*set_policy/),
    });
    expect(code).toBe(0);
  });

  test('the relay’s own queue that another name has left behind is named, as it is filled and not read', async () => {
    const former = 'evolution-relay';
    const wasThere = await rabbit
      .tryOn((channel) => channel.checkQueue(former))
      .then(
        () => true,
        () => false,
      );
    if (!wasThere) await rabbit.declareQueue(former, rabbit.exchange, '#');
    await rabbit.publish('{}');
    const { of } = await doctor();
    expect(of('rabbitmq', `queue ${former}`)).toMatchObject({
      detail: expect.stringMatching(/nobody reads it.*RABBITMQ_QUEUES=evolution-relay/),
    });
    if (!wasThere) await rabbit.channel.deleteQueue(former);
  });

  test.each([
    [
      'no source at all',
      { RABBITMQ_URI: '' },
      'configuration',
      'sources',
      /no worker starts.*RABBITMQ_ENABLED/,
      1,
    ],
    [
      'RabbitMQ switched off',
      { RABBITMQ_ENABLED: 'false' },
      'rabbitmq',
      'connection',
      /^RABBITMQ_ENABLED is false/,
      1,
    ],
    [
      'no global exchange, and no instance with its own',
      { RABBITMQ_GLOBAL_ENABLED: 'false' },
      'rabbitmq',
      'events',
      /^nothing is consumed/,
      1,
    ],
    ['the default', {}, 'rabbitmq', 'events', /STATUS_INSTANCE, REMOVE_INSTANCE, LOGOUT_INSTANCE/, 0],
  ])('says the truth with %s (finding 7.7, 6.3)', async (_what, others, part, check, detail, code) => {
    const found = await doctor(others as Record<string, string>);
    expect(found.of(part, check)?.detail).toMatch(detail);
    expect(found.code).toBe(code);
  });

  test('a virtual host that is missing is named, and not what a library expected (finding 7.8)', async () => {
    const uri = new URL(environment()['RABBITMQ_URI'] ?? '');
    uri.pathname = '/no%2Fsuch';
    const { of, code } = await doctor({ RABBITMQ_URI: uri.href });
    expect(of('rabbitmq', 'connection')?.detail).toContain('virtual host "no/such"');
    expect(of('rabbitmq', 'connection')?.detail).not.toContain('ConnectionClose');
    expect(code).toBe(1);
  });

  test('https at a port without TLS is said in plain words (finding 7.8)', async () => {
    const { of } = await doctor({ WEBHOOK_GLOBAL_URL: url.replace('http:', 'https:') });
    expect(of('webhook:global', 'connection')?.detail).toMatch(/does not speak TLS there/);
    expect(of('webhook:global', 'connection')?.detail).not.toMatch(/openssl|ssl3|:error:|\.c:/i);
  });

  test('a webhook that refuses connections, and one of a tenant that leads inside', async () => {
    const closed = await freePort();
    const remove = await setUp('loja', { webhook: { enabled: true, url } });
    const { code, of } = await doctor({ WEBHOOK_GLOBAL_URL: `http://127.0.0.1:${closed}/` });
    await remove();
    expect(of('webhook:global', 'connection')?.detail).toMatch(/ECONNREFUSED.*name of the service/);
    expect(of('webhook:instance/loja', 'connection')?.detail).toContain('WEBHOOK_ALLOWED_NETWORKS');
    expect(code).toBe(1);
  });

  test('settings that cannot be read with the keys given are named, and the variable', async () => {
    const key = () => randomBytes(32).toString('base64');
    const remove = await setUp('loja', { token: 'secret-token' }, [key()]);
    const { code, text, of } = await doctor({ SETTINGS_ENCRYPTION_KEY: key() });
    await remove();
    expect(of('settings', 'loja')?.detail).toContain('SETTINGS_ENCRYPTION_KEY');
    expect(text).not.toContain('secret-token');
    expect(code).toBe(1);
  });

  test('beside settings that cannot be read the others are looked at, and names no broker takes are told (finding 2.1)', async () => {
    const closed = await freePort();
    const one = await setUp('loja', { webhook: { url: `http://127.0.0.1:${closed}/` } });
    const two = await setUp('amq.loja', { rabbitmq: { enabled: true, events: [] }, token: 'a-token-of-amq' });
    const redis = new Redis(process.env['REDIS_URI'] ?? '');
    await redis.hset(`{${rabbit.prefix}}:settings`, 'broken', 'no settings');
    redis.disconnect();
    const { code, text, of } = await doctor({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' });
    await two();
    await one();
    expect(of('settings', 'broken')).toMatchObject({ state: 'trouble', detail: expect.any(String) });
    expect(of('webhook:instance/loja', 'connection')?.detail).toContain('ECONNREFUSED');
    expect(of('settings', 'exchange')?.detail).toContain('amq.');
    expect(of('settings', 'encryption')).toMatchObject({
      state: 'note',
      detail: expect.stringContaining('SETTINGS_ENCRYPTION_KEY'),
    });
    expect(text).not.toContain('a-token-of-amq');
    expect(code).toBe(1);
  });

  test('neither RabbitMQ nor Redis there: both are told at once, without a password', async () => {
    const port = await freePort();
    const { code, text, of } = await doctor({
      RABBITMQ_URI: `amqp://user:s3cret@127.0.0.1:${port}`,
      REDIS_URI: `redis://:s3cret@127.0.0.1:${port}`,
    });
    expect(of('rabbitmq', 'connection')?.detail).toContain('RABBITMQ_URI');
    expect(of('redis', 'connection')?.detail).toContain('REDIS_URI');
    expect(text).not.toContain('s3cret');
    expect(code).toBe(1);
  }, 20_000);
});
