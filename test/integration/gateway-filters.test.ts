import { errorShape, GatewayHarness, type HttpAnswer } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import { runCommand } from '../support/processes/command';
import { folderWith } from '../support/values/folders';

jest.setTimeout(90_000);

const INSTANCE = 'loja';
const TOKEN = 'token-of-loja';
const url = 'https://example.com/hook';
const EVENT = {
  event: 'messages.upsert',
  instance: INSTANCE,
  data: {
    key: { remoteJid: '120363000000000001@g.us', fromMe: true, id: '3EB0' },
    messageType: 'conversation',
  },
};

describe('filters at the gateway', () => {
  let harness: GatewayHarness;
  beforeAll(async () => {
    harness = await GatewayHarness.start({
      WEBHOOK_GLOBAL_URL: 'https://example.com/global',
      WEBHOOK_GLOBAL_GROUPS: 'true',
    });
    const settings = {
      instanceName: INSTANCE,
      token: TOKEN,
      webhook: { url, fromMe: false },
      webhooks: {
        all: { url },
        calls: { url, events: ['CALL'] },
        general: {
          url,
          filter: { $or: [{ 'data.status': 'READ' }, { 'data.messageType': { $ne: 'conversation' } }] },
        },
        off: { url, enabled: false },
      },
      websocket: { groups: false },
    };
    expect((await harness.ask('POST', '/instance/create', { body: settings })).status).toBe(201);
  });
  afterAll(() => harness.close());

  const test_ = (body?: object, key?: string): Promise<HttpAnswer> =>
    harness.ask('POST', `/webhook/test-filter/${INSTANCE}`, {
      ...(body === undefined ? {} : { body }),
      ...(key === undefined ? {} : { key }),
    });
  const OWN = [
    {
      destination: 'webhook:instance/loja',
      receives: false,
      reasons: [{ condition: 'fromMe', wanted: false, found: true }],
    },
    { destination: 'webhook:instance/loja/all', receives: true },
    {
      destination: 'webhook:instance/loja/calls',
      receives: false,
      reasons: [{ condition: 'events', wanted: ['CALL'], found: 'MESSAGES_UPSERT' }],
    },
    {
      destination: 'webhook:instance/loja/general',
      receives: false,
      reasons: [
        {
          condition: 'filter.$or',
          wanted: 'one of these holds',
          found: [
            { condition: 'filter.$or.0.data.status', wanted: 'READ' },
            { condition: 'filter.$or.1.data.messageType.$ne', wanted: 'conversation', found: 'conversation' },
          ],
        },
      ],
    },
    {
      destination: 'webhook:instance/loja/off',
      receives: false,
      reasons: [{ condition: 'enabled', wanted: true, found: false }],
    },
    {
      destination: 'websocket:instance/loja',
      receives: false,
      reasons: [{ condition: 'configuration', wanted: expect.stringContaining('WEBSOCKET_ENABLED') }],
    },
  ];

  test('test-filter says who receives a given event, and which condition fails where', async () => {
    const { status, body } = await test_({ event: EVENT });
    expect([status, body]).toEqual([
      200,
      {
        instance: INSTANCE,
        event: 'messages.upsert',
        from: 'request',
        destinations: [{ destination: 'webhook:global', receives: true }, ...OWN],
      },
    ]);
  });

  test('a token hears of its own destinations only', async () => {
    const { status, body } = await test_({ event: EVENT }, TOKEN);
    expect([status, body]).toMatchObject([200, { destinations: OWN }]);
    expect((await test_({ event: EVENT }, 'another-token')).status).toBe(401);
  });

  test('conditions that are given are tried without being set', async () => {
    const answer = await test_({ event: EVENT, groups: false, filter: { 'data.key.fromMe': true } });
    expect(answer.body).toMatchObject({
      given: {
        receives: false,
        reasons: [{ condition: 'groups', wanted: false, found: '120363000000000001@g.us' }],
      },
    });
    expect((await test_({ event: EVENT, groups: true })).body).toMatchObject({ given: { receives: true } });
  });

  test('without an event a sample is tried where nothing of the instance is stored', async () => {
    expect((await test_()).body).toMatchObject({ from: 'sample', event: 'messages.upsert' });
  });

  test.each<[object, string]>([
    [{ filter: { 'data.x': { $regex: '.' } } }, 'filter.data.x.$regex: is no operator here'],
    [{ event: { data: {} } }, 'event: neither the body nor the routing key names the event'],
    [{ event: 'messages.upsert' }, 'event: '],
    [{ evnt: EVENT }, 'there is no such field: evnt; did you mean event?'],
  ])('%j is refused, and what is wrong named', async (body, problem) => {
    const answer = await test_(body);
    expect([answer.status, answer.body]).toEqual([
      400,
      errorShape(400, 'Bad Request', [[expect.stringContaining(problem)]]),
    ]);
  });

  test('a wrong filter is refused when it is set, and what was set stays', async () => {
    const set = (webhook: object): Promise<HttpAnswer> =>
      harness.ask('POST', `/webhook/set/${INSTANCE}`, { body: { webhook } });
    for (const [wrong, problem] of [
      [
        { filter: { 'data.text': { $regex: '(a+)+$' } } },
        'webhook.filter.data.text.$regex: is no operator here',
      ],
      [
        { chats: { only: Array.from({ length: 10_000 }, (_, n) => `55119${n}`) } },
        'must be no more than 1000',
      ],
      [{ olderThanSeconds: -1 }, 'webhook.olderThanSeconds'],
    ] as const) {
      const answer = await set(wrong);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(problem)]);
    }
    const found = await harness.ask('GET', `/webhook/find/${INSTANCE}`);
    expect(found.body).toMatchObject({ fromMe: false, webhookByEvents: false });
    expect(found.body).not.toHaveProperty('filter');
  });

  test('a path that leads nowhere is told; a filter is replaced as a whole, and null removes it', async () => {
    const set = (webhook: object): Promise<HttpAnswer> =>
      harness.ask('POST', '/webhook/set/another', { body: { webhook: { url, ...webhook } } });
    const first = await set({ filter: { 'key.fromMe': false } });
    expect(first.body).toMatchObject({
      filter: { 'key.fromMe': false },
      warnings: expect.arrayContaining([
        expect.stringContaining('webhook.filter: events have no "key" at their root'),
      ]),
    });
    expect((await set({ filter: { fromMe: false } })).body).toMatchObject({
      warnings: expect.arrayContaining([
        expect.stringContaining('fromMe as a field of its own stands beside filter'),
      ]),
    });
    expect((await set({ filter: { 'data.a': 1 } })).body).toMatchObject({ filter: { 'data.a': 1 } });
    expect((await set({ filter: null })).body).not.toHaveProperty('filter');
  });

  test('the command says the same of a file, and needs one where nothing is stored', async () => {
    const folder = folderWith({ 'event.json': JSON.stringify(EVENT) });
    try {
      const file = ['--file', `${folder.path}/event.json`];
      const command = (...args: string[]) =>
        runCommand(['settings', 'test-filter', INSTANCE, ...args], harness.env);
      const json = await command(...file, '--json');
      expect(JSON.parse(json.stdout)).toMatchObject({
        from: 'file',
        destinations: [{ destination: 'webhook:global', receives: true }, ...OWN],
      });
      const table = await command(...file);
      expect(table.stdout).toMatch(/^webhook:instance\/loja +no +fromMe wants false, found true$/m);
      expect(await command()).toMatchObject({ code: 2, stderr: expect.stringContaining('--file') });
    } finally {
      folder.remove();
    }
  });
});

test('without an event, one of the instance that is stored is tried', async () => {
  const scenario = await Scenario.start({ env: { WEBHOOK_RETRY_MAX_ATTEMPTS: '1' } });
  const harness = await GatewayHarness.start({ ...scenario.env, GATEWAY_HOST: '127.0.0.1' });
  try {
    scenario.receiver.behaviour = () => ({ status: 404 });
    await scenario.startWorker();
    await scenario.publish(5);
    await scenario.untilAudited(({ dead }) => dead === 5);
    const { body } = await harness.ask('POST', '/webhook/test-filter/instance-1', { body: { fromMe: true } });
    expect(body).toMatchObject({ from: 'dead', instance: 'instance-1', given: { receives: false } });
    expect((await harness.ask('POST', '/webhook/test-filter/nobody')).body).toMatchObject({ from: 'sample' });
    const command = await scenario.command('settings', 'test-filter', 'instance-1');
    expect([command.code, command.stdout]).toEqual([0, expect.stringContaining('instance-1 (dead)')]);
    await scenario.stopWorkers();
  } finally {
    await harness.close();
    await scenario.close();
  }
});
