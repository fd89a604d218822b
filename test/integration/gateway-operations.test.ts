import { errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { HttpTarget, refusedUrl, respond } from '../support/servers/http-target';
import { PrivateRedis } from '../support/servers/private-services';
import { eventually } from '../support/signals/signals';

const BAD = errorShape(400, 'Bad Request');

describe('dead letters and the audit', () => {
  let store: StoreHarness;
  let harness: GatewayHarness;
  const destination = new FakeDestination('webhook:global');

  beforeEach(async () => {
    store = await StoreHarness.open();
    harness = await GatewayHarness.start({ REDIS_PREFIX_KEY: store.prefix });
    await store.bury(deliveries(destination, 5));
  });
  afterEach(async () => {
    await harness.close();
    await store.close();
  });

  const list = async (query = '') => {
    const { status, body } = await harness.ask('GET', `/dead-letters${query}`);
    expect(status).toBe(200);
    return body as { deadLetters: { id: string }[]; more: boolean };
  };

  test('are listed, newest first, page by page, and shown with their attempts and their body', async () => {
    const { deadLetters, more } = await list();
    expect([deadLetters.length, more]).toEqual([5, false]);
    expect(deadLetters[0]).toEqual({
      id: expect.any(String),
      at: expect.stringMatching(/Z$/),
      destination: 'webhook:global',
      instance: 'loja-centro',
      event: 'messages.upsert',
      reason: 'rejected',
      bytes: expect.any(Number),
    });
    expect(await list('?limit=2')).toEqual({ deadLetters: deadLetters.slice(0, 2), more: true });
    expect((await list('?instance=nobody')).deadLetters).toEqual([]);
    expect((await list('?reason=rejected&since=1h&event=MESSAGES_UPSERT')).deadLetters).toHaveLength(5);
    const shown = await harness.ask('GET', `/dead-letters/${deadLetters[0]?.id}`);
    expect(shown.body).toMatchObject({
      history: [{ attempt: 1, at: expect.stringMatching(/Z$/) }],
      body: expect.stringContaining('"loja-centro"'),
    });
    expect((await harness.ask('GET', '/dead-letters/dlv_none')).status).toBe(404);
  });

  test('are replayed and removed by id, by filter, or all; the audit stays balanced', async () => {
    const { deadLetters } = await list();
    const [first, second] = deadLetters;
    const replayed = await harness.ask('POST', '/dead-letters/replay', {
      body: { ids: [first?.id, 'unknown'] },
    });
    expect([replayed.status, replayed.body]).toMatchObject([
      200,
      { replayed: 1, problems: [expect.any(String)] },
    ]);
    const removed = await harness.ask('DELETE', '/dead-letters', { body: { ids: [second?.id] } });
    expect([removed.status, removed.body]).toEqual([200, { removed: 1, problems: [] }]);
    expect(
      (await harness.ask('DELETE', '/dead-letters', { body: { instance: 'nobody' } })).body,
    ).toMatchObject({
      removed: 0,
    });
    expect((await harness.ask('GET', '/audit')).body).toMatchObject({
      balanced: true,
      destinations: [
        {
          destination: 'webhook:global',
          accepted: 5,
          delivered: 0,
          parked: 1,
          dead: 3,
          discarded: 1,
          difference: 0,
        },
      ],
    });
    expect((await harness.ask('DELETE', '/dead-letters', { body: { all: true } })).body).toMatchObject({
      removed: 3,
    });
    expect((await list()).deadLetters).toEqual([]);
  });

  test('nothing is replayed or removed by mistake', async () => {
    const bodies = [
      undefined,
      {},
      [],
      'x',
      { ids: [] },
      { ids: 'x' },
      { all: false },
      { instnace: 'loja' },
      { since: 'soon' },
    ];
    for (const body of bodies) {
      for (const [method, path] of [
        ['POST', '/dead-letters/replay'],
        ['DELETE', '/dead-letters'],
      ] as const) {
        const answer = await harness.ask(method, path, { body: body === 'x' ? '"x"' : body });
        expect([answer.status, answer.body]).toEqual([400, BAD]);
      }
    }
    for (const query of [
      '?limit=0',
      '?limit=x',
      '?since=soon',
      '?unknown=1',
      '?limit=1&limit=2',
      '?instance=a&instance=b',
      '?reason=rejectd',
      '?event=mesages.upsert',
      '?destination=webhok:global',
    ]) {
      const answer = await harness.ask('GET', `/dead-letters${query}`);
      expect([answer.status, answer.body]).toEqual([400, BAD]);
    }
    expect((await list()).deadLetters).toHaveLength(5);
  });
});

describe('POST /webhook/test', () => {
  let harness: GatewayHarness;
  let target: HttpTarget;

  beforeAll(async () => {
    harness = await GatewayHarness.start({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' });
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    target = await HttpTarget.start();
    await harness.ask('POST', '/webhook/set/loja', {
      body: {
        url: `${target.url}/hook`,
        byEvents: true,
        headers: { authorization: 'Bearer hidden' },
        events: ['CALL'],
      },
    });
  });
  afterEach(() => target.stop());

  test('sends one sample event as a delivery would be, and answers with what came back', async () => {
    target.answer = respond(200, {}, 'thank you');
    const answer = await harness.ask('POST', '/webhook/test/loja');
    expect([answer.status, answer.body]).toEqual([
      200,
      { outcome: 'delivered', durationMs: expect.any(Number), status: 200 },
    ]);
    const [request] = target.received.all;
    expect(request).toMatchObject({
      path: '/hook/messages-upsert',
      headers: { authorization: 'Bearer hidden' },
    });
    expect(JSON.parse(request?.body.toString('utf8') ?? '')).toMatchObject({
      event: 'messages.upsert',
      instance: 'loja',
    });
    expect((await harness.ask('GET', '/audit')).body).toMatchObject({ balanced: true, destinations: [] });
  });

  test.each([
    [404, 'rejected'],
    [500, 'failed'],
  ])('an answer of %d is told as it is: %s', async (status, outcome) => {
    target.answer = respond(status, {}, 'no such workflow');
    const answer = await harness.ask('POST', '/webhook/test/loja');
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { outcome, status, answer: 'no such workflow' },
    ]);
  });

  test('nobody listening, nobody answering, and an address inside are told by their codes', async () => {
    await harness.ask('POST', '/webhook/set/loja/away', { body: { url: await refusedUrl() } });
    expect((await harness.ask('POST', '/webhook/test/loja', { body: { name: 'away' } })).body).toMatchObject({
      outcome: 'failed',
      code: 'ECONNREFUSED',
    });
    target.answer = () => {};
    await harness.ask('POST', '/webhook/set/loja', { body: { timeoutMs: 200 } });
    expect((await harness.ask('POST', '/webhook/test/loja')).body).toMatchObject({
      outcome: 'failed',
      code: 'TIMEOUT',
    });
    await harness.ask('POST', '/webhook/set/loja', { body: { timeoutMs: null } });
  });

  test('what is not set cannot be tested', async () => {
    for (const [path, body] of [
      ['nobody', {}],
      ['loja', { name: 'nothing' }],
      ['loja', { name: 'constructor' }],
    ] as const) {
      const answer = await harness.ask('POST', `/webhook/test/${path}`, { body });
      expect([answer.status, answer.body]).toEqual([404, errorShape(404, 'Not Found')]);
    }
    expect((await harness.ask('POST', '/webhook/test/loja', { body: { naem: 'x' } })).body).toEqual(BAD);
  });
});

describe('while Redis is away', () => {
  const PATHS = [
    ['POST', '/webhook/set/loja'],
    ['GET', '/webhook/find/loja'],
    ['DELETE', '/webhook/set/loja'],
    ['GET', '/settings/find/loja'],
    ['DELETE', '/instance/delete/loja'],
    ['GET', '/dead-letters'],
    ['GET', '/audit'],
  ] as const;
  const AWAY = errorShape(503, 'Service Unavailable', ['Redis cannot be reached: try again']);
  let redis: PrivateRedis;
  let harness: GatewayHarness;

  beforeAll(async () => {
    redis = await PrivateRedis.start();
    harness = await GatewayHarness.start({ REDIS_URI: redis.uri });
    await harness.ask('POST', '/webhook/set/loja', { body: { url: 'https://example.com/hook' } });
  });
  afterAll(async () => {
    await harness.close();
    await redis.dispose();
  });

  const askAll = (key?: string) =>
    Promise.all(
      PATHS.map(([method, path]) =>
        harness.ask(method, path, {
          ...(key === undefined ? {} : { key }),
          body: { url: 'https://example.com/hook' },
        }),
      ),
    );
  const untilBack = () =>
    eventually(
      async () => ((await harness.ask('GET', '/readyz')).status === 200 ? true : undefined),
      'ready',
    );

  test('every answer says so with 503, and everything is as before when it is back', async () => {
    await redis.stop();
    await eventually(
      async () => ((await harness.ask('GET', '/readyz')).status === 503 ? true : undefined),
      'not ready',
    );
    for (const { status, body, headers } of await askAll()) {
      expect([status, body]).toEqual([503, AWAY]);
      expect(headers['retry-after']).toBe('5');
    }
    // Whether it is the token of the instance cannot be known.
    expect((await harness.ask('GET', '/webhook/find/loja', { key: 'a-token' })).status).toBe(503);
    expect((await harness.ask('GET', '/healthz')).status).toBe(200);
    await redis.restart();
    await untilBack();
    expect((await harness.ask('GET', '/webhook/find/loja')).body).toMatchObject({
      url: 'https://example.com/hook',
    });
  });

  test('a Redis that is connected and does not answer is told the same way', async () => {
    redis.pause();
    try {
      const answers = await askAll();
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503));
    } finally {
      redis.resume();
    }
    await untilBack();
  });

  test('a Redis that takes nothing more is no fault of the gateway', async () => {
    const admin = harness.connectRedis();
    await admin.config('SET', 'maxmemory', '1');
    try {
      const answer = await harness.ask('POST', '/webhook/set/loja', {
        body: { url: 'https://example.com/new' },
      });
      expect([answer.status, answer.body]).toEqual([503, errorShape(503, 'Service Unavailable')]);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
      admin.disconnect();
    }
    expect((await harness.ask('GET', '/webhook/find/loja')).body).toMatchObject({
      url: 'https://example.com/hook',
    });
  });
});
