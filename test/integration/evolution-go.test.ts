import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { QUORUM, RabbitHarness } from '../support/harness/rabbit-harness';
import { runCommand } from '../support/processes/command';
import { type Environment, RelayProcess } from '../support/processes/relay';
import { HttpTarget, type ReceivedRequest, respond } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';
import { CORE_API_2_4_ENV } from '../support/values/core-api-env';
import { eventBody, goBody, goFixture, goFixtureNames } from '../support/values/events';

const ID = '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10';
const GO_QUEUE = { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-ha-policy': 'all' } };

let rabbit: RabbitHarness;
let target: HttpTarget;
let folder: string;
const relays: RelayProcess[] = [];

beforeEach(async () => {
  rabbit = await RabbitHarness.open();
  target = await HttpTarget.start();
  folder = mkdtempSync(join(tmpdir(), 'evolution-go-'));
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.kill()));
  await target.stop();
  await rabbit.close();
  rmSync(folder, { recursive: true });
});

const queue = (): string => `${rabbit.prefix}.message`;
const exchange = (): string => `${rabbit.prefix}.go`;

function environment(others: Environment = {}): Environment {
  return {
    RABBITMQ_URI: process.env['RABBITMQ_URI'] ?? '',
    RABBITMQ_EXCHANGE_NAME: rabbit.exchange,
    RABBITMQ_QUEUE: rabbit.queue,
    RABBITMQ_QUEUES: queue(),
    RABBITMQ_EXCHANGES: exchange(),
    REDIS_URI: process.env['REDIS_URI'] ?? '',
    REDIS_PREFIX_KEY: rabbit.prefix,
    WEBHOOK_GLOBAL_URL: `${target.url}/global`,
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
    WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '0.1',
    AUTHENTICATION_API_KEY: 'a-key-of-the-operator',
    LOG_LEVEL: 'debug',
    ...others,
  };
}

async function start(others: Environment = {}): Promise<RelayProcess> {
  rabbit.willExist({ queues: [queue()], exchanges: [exchange()] });
  await rabbit.channel.assertQueue(queue(), GO_QUEUE);
  const relay = await RelayProcess.start(environment(others));
  relays.push(relay);
  return relay;
}

function settingsFile(settings: object): string {
  const file = join(folder, 'instances.json');
  writeFileSync(file, JSON.stringify([settings]));
  return file;
}

const at = (path: string): ReceivedRequest[] =>
  target.received.all.filter((request) => request.path === path);
const idsOf = (requests: readonly ReceivedRequest[]): Set<unknown> =>
  new Set(requests.map(({ headers }) => headers['webhook-id']));

/** As evolution-go does, with nothing but the type of the content. */
function toQueue(body: Buffer): void {
  rabbit.channel.sendToQueue(queue(), body, { contentType: 'application/json', persistent: true });
}

describe('evolution-go beside the core API', () => {
  it('each event arrives in the form of its own core, by queue and by exchange', async () => {
    await start({ SETTINGS_FILE: settingsFile({ instanceName: ID, webhook: { url: `${target.url}/own` } }) });
    const bodies = goFixtureNames().map(goFixture);
    for (const [index, body] of bodies.entries()) {
      if (index % 2 === 0) toQueue(body);
      else rabbit.channel.publish(exchange(), `${ID}.message`, body, { contentType: 'application/json' });
    }
    await rabbit.publish(eventBody(1));
    await target.received.count(2 * bodies.length + 1);
    const own = at('/own').map(({ body }) => body.toString());
    expect(own.sort()).toEqual(bodies.map((body) => body.toString()).sort());
    const global = at('/global');
    expect(global.map(({ body }) => body.toString()).filter((text) => own.includes(text))).toHaveLength(
      own.length,
    );
    const ofApi = global.find(({ headers }) => headers['x-instance-name'] === 'loja-centro');
    expect(JSON.parse(String(ofApi?.body))).toMatchObject({
      instance: 'loja-centro',
      destination: expect.any(String),
    });
    expect(global.find(({ headers }) => headers['x-event-type'] === 'Message')?.headers).toMatchObject({
      'x-instance-name': 'vendas',
      'x-instance-id': ID,
    });
  });

  it('emissions of the same bytes are as many deliveries, parked ones and under deduplication, too', async () => {
    target.answer = respond(500);
    await start({ DEDUPLICATION_SECONDS: '60' });
    const body = goBody();
    for (let count = 0; count < 4; count++) toQueue(body);
    await eventually(() => idsOf(at('/global')).size === 4 || undefined, 'each with an id of its own');
    const accepted: unknown[] = [];
    target.answer = (response, request) => {
      accepted.push(request.headers['webhook-id']);
      respond(200)(response, request);
    };
    await eventually(() => accepted.length === 4 || undefined, 'each is delivered by a retry');
    expect(new Set(accepted)).toEqual(idsOf(at('/global')));
    expect(at('/global').every(({ body: received }) => received.equals(body))).toBe(true);
    const { code } = await runCommand(['audit'], environment());
    expect(code).toBe(0);
  });

  it('what it sends is no secret of the log, and WEBHOOK_STRIP_APIKEY takes the token out', async () => {
    const relay = await start({ WEBHOOK_STRIP_APIKEY: 'true' });
    toQueue(goFixture('receipt'));
    toQueue(goBody({ instanceName: undefined }));
    await target.received.count(1);
    await relay.untilLogged('INSTANCE_NAME_MISSING');
    const { instanceToken: _secret, ...rest } = JSON.parse(goFixture('receipt').toString()) as Record<
      string,
      unknown
    >;
    expect(at('/global').map(({ body }) => body.toString())).toEqual([JSON.stringify(rest)]);
    expect(relay.log).not.toContain('go-token');
    const { stdout } = await runCommand(['dead-letters', 'ls'], environment());
    expect(stdout).toContain('INSTANCE_NAME_MISSING');
  });

  it('an instance that both cores have is one, and the operator is told', async () => {
    const relay = await start({
      SETTINGS_FILE: settingsFile({
        instanceName: 'vendas',
        webhook: { url: `${target.url}/own`, events: ['MESSAGE', 'CALL'] },
      }),
    });
    toQueue(goFixture('message'));
    toQueue(goFixture('receipt'));
    await target.received.count(3);
    await rabbit.publish(eventBody(1, { instance: 'vendas', event: 'call' }));
    await relay.untilLogged('INSTANCE_OF_BOTH_CORES');
    await target.received.count(5);
    expect(at('/own').map(({ headers }) => headers['x-event-type'])).toEqual(['Message', 'call']);
  });
});

describe('the command line', () => {
  it('publish --core go publishes as evolution-go does, to a queue of its own or to an exchange', async () => {
    const event = `Test${rabbit.prefix.replaceAll('-', '')}`;
    const ownQueue = event.toLowerCase();
    rabbit.willExist({ queues: [ownQueue], exchanges: [exchange()] });
    await rabbit.channel.assertQueue(ownQueue, GO_QUEUE);
    const args = ['publish', '--core', 'go', '--instance', 'vendas', '--event', event, '--count', '2'];
    const toOwn = await runCommand(args, environment({ RABBITMQ_EXCHANGES: '', RABBITMQ_QUEUES: ownQueue }));
    expect([toOwn.code, toOwn.stdout]).toEqual([0, expect.stringContaining(`queue ${ownQueue}`)]);
    const got = await rabbit.channel.get(ownQueue, { noAck: true });
    if (got === false) throw new Error('nothing was published');
    expect(JSON.parse(got.content.toString())).toMatchObject({ event, instanceName: 'vendas' });
    expect(got.properties).toMatchObject({ contentType: 'application/json', deliveryMode: 2 });
    await rabbit.declareQueue(queue(), await rabbit.declareExchange(exchange()), '#');
    const toExchange = await runCommand(args, environment({ RABBITMQ_QUEUES: '' }));
    expect([toExchange.code, toExchange.stdout]).toEqual([0, expect.stringContaining(exchange())]);
  });

  it('doctor names which core speaks on each queue, and a queue that is missing', async () => {
    const [missing, ofApi] = [`${rabbit.prefix}.receipt`, `${rabbit.prefix}.messages.upsert`];
    rabbit.willExist({ queues: [queue(), ofApi] });
    await rabbit.channel.assertQueue(queue(), GO_QUEUE);
    await rabbit.channel.assertQueue(ofApi, QUORUM);
    await rabbit.channel.assertQueue(rabbit.queue, QUORUM);
    const { stdout, code } = await runCommand(
      ['doctor', '--json'],
      environment({ RABBITMQ_QUEUES: [queue(), ofApi, missing].join(',') }),
    );
    const { findings } = JSON.parse(stdout) as {
      findings: { check: string; state: string; detail: string }[];
    };
    const of = (name: string) => findings.find(({ check }) => check === `queue ${name}`);
    expect(of(queue())).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('events of evolution-go'),
    });
    expect(of(ofApi)).toMatchObject({ detail: expect.stringContaining('events of the core API') });
    expect(of(rabbit.queue)).toMatchObject({
      detail: expect.stringMatching(new RegExp(`events of the core API.*either core by ${exchange()}`)),
    });
    expect([of(missing)?.state, code]).toEqual(['trouble', 1]);
  });
});

it('the example of a .env of the core API 2.4 with REDIS_URI starts unchanged', async () => {
  const example = parseEnv(CORE_API_2_4_ENV) as Record<string, string>;
  const relay = await RelayProcess.start(
    { ...example, REDIS_URI: process.env['REDIS_URI'] ?? '', REDIS_PREFIX_KEY: rabbit.prefix },
    'start',
  );
  relays.push(relay);
  expect(relay.log).toContain('there is no source to consume from');
});
