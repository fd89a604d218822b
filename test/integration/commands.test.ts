import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { parseEnv } from 'node:util';
import { MalformedEventError } from '../../src/errors';
import { destinationKey } from '../../src/pipeline/delivery';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { RabbitHarness } from '../support/harness/rabbit-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { runCommand, runProcess } from '../support/processes/command';
import { freePort } from '../support/processes/ports';
import { deliveryTo, eventBody } from '../support/values/events';
import { folderWith } from '../support/values/folders';

const folder = folderWith();
afterAll(folder.remove);

const run = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runCommand(args, environment, folder.path);

/** Begun first, as it takes ten seconds. */
const unreachable = freePort().then((port) =>
  runProcess(['audit'], { REDIS_URI: `redis://127.0.0.1:${port}` }, folder.path),
);

describe('the command line', () => {
  test('wrong usage: exit 2, and it says what is right', async () => {
    const wrong = [
      [],
      ['relay'],
      ['audit', '--fast'],
      ['dead-letters', 'show'],
      ['dead-letters', 'ls', '--since', 'yesterday'],
      ['publish', '--count', '-1'],
      ['publish', '--instance', ''],
      ['settings', 'set', 'loja', '{}', '--file', 'absent.json'],
      ['deliveries', 'ls', '--event', 'mesages.upsert'],
      ['deliveries', 'replay', '--destination', 'webhok:global'],
      ['dead-letters', 'rm'],
      ['dead-letters', 'ls', '--reason', 'rejectd'],
      ['parked', 'ls', '--reason', 'no such thing'],
      ['parked', 'ls', '--destination', 'webhok:global'],
    ];
    const results = await Promise.all(wrong.map((args) => run(args)));
    expect(results.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    for (const { stderr } of results) expect(stderr.length).toBeGreaterThan(10);
  });

  test('every command explains itself: exit 0', async () => {
    const [top, ls] = await Promise.all([run(['--help']), run(['dead-letters', 'ls', '--help'])]);
    expect([top.code, ls.code]).toEqual([0, 0]);
    for (const word of ['worker', 'publish', 'config', 'dead-letters', 'audit'])
      expect(top.stdout).toContain(word);
    expect(ls.stdout).toContain('--since');
  });

  test('wrong configuration: exit 2, every variable named, no secret shown', async () => {
    const environment = { REDIS_URI: 'http://u:s3cret@r', RABBITMQ_URI: 's3cret', METRICS_PORT: 'x' };
    const commands = [['audit'], ['config'], ['publish'], ['worker'], ['dead-letters', 'ls']];
    for (const { code, stderr } of await Promise.all(commands.map((args) => run(args, environment)))) {
      expect(code).toBe(2);
      for (const name of Object.keys(environment)) expect(stderr).toContain(name);
      expect(stderr).not.toContain('s3cret');
    }
  });

  test('a worker whose port is taken ends at once, naming the variable: exit 2', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, stderr } = await run(['worker'], {
      RABBITMQ_URI: 'amqp://127.0.0.1:1',
      REDIS_URI: 'redis://127.0.0.1:1',
      METRICS_HOST: '127.0.0.1',
      METRICS_PORT: String(port),
    });
    taken.close();
    expect([code, stderr]).toEqual([2, expect.stringMatching(/METRICS_PORT.*EADDRINUSE/)]);
  });

  test('a worker with nothing to do is wrong configuration: exit 2', async () => {
    const { code, stderr } = await run(['worker']);
    expect(code).toBe(2);
    expect(stderr).toContain('RABBITMQ_ENABLED');
  });
});

describe('config', () => {
  test('shows every value with where it came from, secrets masked', async () => {
    const { code, stdout } = await run(['config'], {
      RABBITMQ_QUEUE: 'mine',
      WEBHOOK_GLOBAL_URL: 'https://hooks.example.test/s3cret',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^RABBITMQ_QUEUE +mine +environment$/m);
    expect(stdout).toMatch(/^METRICS_PORT +9464 +default$/m);
    expect(stdout).toMatch(/^WEBHOOK_GLOBAL_URL +https:\/\/hooks\.example\.test\/\*\*\* +environment$/m);
    expect(stdout).not.toContain('s3cret');
  });

  test('--env-example prints a .env that sets nothing as it stands', async () => {
    const { code, stdout } = await run(['config', '--env-example']);
    expect([code, parseEnv(stdout)]).toEqual([0, {}]);
    expect(stdout).toContain('#REDIS_PREFIX_KEY=evolution-relay');
  });
});

describe('audit and dead-letters', () => {
  let harness: StoreHarness;
  let environment: Record<string, string>;
  const destination = new FakeDestination('webhook:global');
  beforeEach(async () => {
    harness = await StoreHarness.open();
    environment = { REDIS_URI: harness.uri, REDIS_PREFIX_KEY: harness.prefix };
    harness.ledger.countDelivered(deliveries(destination, 7));
    await harness.ledger.flush();
    await harness.park(deliveryTo(destination, eventBody(100)));
    await harness.bury([
      ...deliveries(destination, 3),
      deliveryTo(destination, eventBody(50, { event: 'call', instance: 'loja-norte' })),
    ]);
  });
  afterEach(() => harness.close());

  const lines = (stdout: string): Record<string, unknown>[] =>
    stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test('audit proves the equation: exit 0 while it holds', async () => {
    const [table, json] = await Promise.all([
      runProcess(['audit'], environment, folder.path),
      run(['audit', '--json'], environment),
    ]);
    expect([table.code, json.code]).toEqual([0, 0]);
    expect(table.stdout).toMatch(/^webhook:global +12 +7 +1 +4 +0 +0$/m);
    expect(JSON.parse(json.stdout)).toEqual({
      balanced: true,
      destinations: [
        {
          destination: 'webhook:global',
          accepted: 12,
          delivered: 7,
          parked: 1,
          dead: 4,
          discarded: 0,
          difference: 0,
        },
      ],
      largest: [
        { owner: 'global/loja-centro', parked: 0, parkedBytes: 0, dead: 3, deadBytes: expect.any(Number) },
        { owner: 'webhook:global', parked: 1, parkedBytes: expect.any(Number), dead: 0, deadBytes: 0 },
        { owner: 'global/loja-norte', parked: 0, parkedBytes: 0, dead: 1, deadBytes: expect.any(Number) },
      ],
    });
  });

  test('audit of a relay that never ran finds nothing wrong', async () => {
    const { code, stderr } = await run(['audit'], {
      ...environment,
      REDIS_PREFIX_KEY: `${harness.prefix}-never`,
    });
    expect(code).toBe(0);
    // Counts follow within a second: whoever publishes and asks at once has no wrong prefix.
    expect(stderr).toContain('look again in a second');
  });

  test('a destination that no event came for is not listed, and the answer says that it may come', async () => {
    const [none, show, suspend, beyond] = await Promise.all([
      run(['destinations', 'ls', '--instance', 'new'], environment),
      run(['destinations', 'show', 'webhook:instance/new'], environment),
      run(['destinations', 'suspend', 'webhook:instance/new'], environment),
      run(['destinations', 'ls', '--offset', '5'], environment),
    ]);
    expect([none.code, show.code, suspend.code, beyond.code]).toEqual([0, 1, 1, 0]);
    for (const { stderr } of [none, show, suspend]) expect(stderr).toContain('from its first event on');
    expect(beyond.stderr).toBe('');
  });

  test('ls lists what the filters choose, show shows one', async () => {
    const [all, some, limited] = await Promise.all([
      run(['dead-letters', 'ls', '--json'], environment),
      run(['dead-letters', 'ls', '--json', '--event', 'CALL', '--since', '1h'], environment),
      run(['dead-letters', 'ls', '--limit', '2'], environment),
    ]);
    expect(lines(all.stdout)).toHaveLength(4);
    expect(limited.stdout.trim().split('\n')).toHaveLength(3);
    expect(lines(some.stdout)).toMatchObject([{ event: 'call', instance: 'loja-norte', reason: 'rejected' }]);
    const id = String(lines(some.stdout)[0]?.['id']);
    const { code, stdout } = await run(['dead-letters', 'show', id], environment);
    const shown = JSON.parse(stdout) as { body: string };
    expect([code, JSON.parse(shown.body)]).toMatchObject([0, { event: 'call', instance: 'loja-norte' }]);
  });

  test.each([
    [['ls', '--since', '5'], /ISO time, or an age/],
    [['replay', 'dlv_unknown', '--instance', 'loja'], /not both/],
    [['rm', 'dlv_unknown', '--all'], /not both/],
  ])('dead-letters %j is wrong usage: exit 2', async (args, message) => {
    const { code, stderr } = await run(['dead-letters', ...args], environment);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('show, replay and rm of what is not there: exit 1', async () => {
    const results = await Promise.all(
      ['show', 'replay', 'rm'].map((verb) => run(['dead-letters', verb, 'dlv_unknown'], environment)),
    );
    for (const { code, stderr } of results)
      expect([code, stderr]).toEqual([1, expect.stringContaining('dlv_unknown')]);
  });

  test('replay and rm change exactly what they are told to, and the audit still agrees', async () => {
    const replayed = await run(['dead-letters', 'replay', '--instance', 'loja-norte'], environment);
    expect([replayed.code, replayed.stdout]).toEqual([0, 'replayed 1\n']);
    expect(await harness.line(destination)).toMatchObject({ parked: 2, dead: 3, difference: 0 });
    const removed = await run(['dead-letters', 'rm', '--all'], environment);
    expect([removed.code, removed.stdout]).toEqual([0, 'removed 3\n']);
    expect(await harness.line(destination)).toMatchObject({
      parked: 2,
      dead: 0,
      discarded: 3,
      difference: 0,
    });
  });

  test('replay by filter leaves what is no event where it is, which is no reason to fail', async () => {
    const mixed = await StoreHarness.open();
    try {
      const worker = mixed.startWorker();
      const error = new MalformedEventError('BODY_NOT_JSON', 'no');
      await mixed.parking.buryMalformed(Buffer.from('{'), { routingKey: 'call' }, error);
      await mixed.untilLine('none', { dead: 1 });
      await worker.close();
      await mixed.bury([deliveryTo(destination, eventBody(1))]);
      const there = { REDIS_URI: mixed.uri, REDIS_PREFIX_KEY: mixed.prefix };
      const { code, stdout } = await run(['dead-letters', 'replay', '--all'], there);
      expect([code, stdout]).toEqual([0, 'replayed 1\n']);
      expect(await mixed.line('none')).toMatchObject({ dead: 1, difference: 0 });
    } finally {
      await mixed.close();
    }
  });

  test('audit names a difference: exit 1', async () => {
    // As if one delivery had been lost between being counted and being stored.
    const { store } = harness;
    const key = destinationKey(destination.id);
    await store.call('relayCount', key, destination.id, 1, 0);
    await harness.withRedis((redis) => redis.hincrby(`${store.prefix}:audit`, `${key}:delivered`, -1));
    const { code, stdout } = await run(['audit'], environment);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/NOT balanced/)]);
  });
});

describe('publish', () => {
  let harness: RabbitHarness;
  beforeAll(async () => {
    harness = await RabbitHarness.open();
    // A quorum queue would add a header of its own.
    await harness.channel.assertQueue(harness.queue, { durable: false, exclusive: true });
    await harness.channel.bindQueue(harness.queue, harness.exchange, '#');
  });
  afterAll(() => harness.close());

  test('publishes sample events as the core API would: no properties, the event as routing key', async () => {
    const server_url = 'https://evolution.example.test';
    const environment = {
      RABBITMQ_URI: harness.proxy.uri,
      RABBITMQ_EXCHANGE_NAME: harness.exchange,
      SERVER_URL: server_url,
    };
    const args = ['publish', '--instance', 'loja', '--event', 'CALL', '--count', '3'];
    const { code, stdout } = await run(args, environment);
    expect([code, stdout]).toEqual([0, `published 3 × call to ${harness.exchange}\n`]);
    const ids = new Set<string>();
    for (let count = 0; count < 3; count++) {
      const message = await harness.channel.get(harness.queue, { noAck: true });
      if (message === false) throw new Error('a message is missing');
      expect(message.fields.routingKey).toBe('call');
      expect(Object.values(message.properties).filter((value) => value !== undefined)).toEqual([{}]);
      const body = JSON.parse(message.content.toString()) as {
        event: string;
        instance: string;
        data: object;
      };
      expect(body).toMatchObject({ event: 'call', instance: 'loja', server_url });
      ids.add(JSON.stringify(body.data));
    }
    expect(ids.size).toBe(3);
  });

  test('publishes a file byte for byte', async () => {
    const text = '{"event":"messages.upsert" ,"instance":"i","data":{"id":12345678901234567890123}}\n';
    const files = folderWith({ 'event.json': text });
    const environment = { RABBITMQ_URI: harness.proxy.uri, RABBITMQ_EXCHANGE_NAME: harness.exchange };
    const { code } = await runCommand(['publish', '--file', 'event.json'], environment, files.path);
    files.remove();
    const message = await harness.channel.get(harness.queue, { noAck: true });
    expect(code).toBe(0);
    expect(message === false ? '' : message.content.toString()).toBe(text);
  });

  test('what no queue takes is told: exit 1', async () => {
    const exchange = await harness.declareExchange(`${harness.prefix}.unbound`);
    const { code, stdout, stderr } = await run(['publish', '--count', '2'], {
      RABBITMQ_URI: harness.proxy.uri,
      RABBITMQ_EXCHANGE_NAME: exchange,
    });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^2 × messages\.upsert went nowhere.*RABBITMQ_EXCHANGE_NAME/);
  });

  test('what is missing is named with its remedy: address and file are wrong usage, the broker a failure', async () => {
    const files = folderWith({ 'half.json': '{' });
    const environment = { RABBITMQ_URI: harness.proxy.uri };
    const away = { RABBITMQ_URI: `amqp://127.0.0.1:${await freePort()}` };
    const results = await Promise.all([
      run(['publish']),
      run(['publish', '--file', 'absent.json'], environment),
      runCommand(['publish', '--file', 'half.json'], environment, files.path),
      run(['publish'], away),
    ]);
    files.remove();
    expect(results.map(({ code, stderr }) => [code, stderr])).toEqual([
      [2, expect.stringContaining('RABBITMQ_URI: must be set')],
      [2, expect.stringContaining('absent.json cannot be read')],
      [2, expect.stringContaining('half.json must be the JSON of one event')],
      [1, expect.stringMatching(/ECONNREFUSED.*check RABBITMQ_URI/)],
    ]);
  });
});

test('a Redis that cannot be reached within ten seconds: exit 1, and it says what to check', async () => {
  const { code, stderr } = await unreachable;
  expect([code, stderr]).toEqual([1, expect.stringContaining('REDIS_URI')]);
});
