import { CORE_KEYS } from '../../src/events/catalogue';
import { errorShape, forKnownInstance, GatewayHarness } from '../support/harness/gateway-harness';

/** What clients of the core API send: its Manager, the n8n node, programs written for it. */

const URL = 'https://example.com/hook';
const WEBHOOK = { enabled: true, url: URL, headers: { a: 'b' }, byEvents: true, events: ['CALL'] };
const APP = {
  enabled: true,
  appId: '1',
  key: 'k',
  secret: 's',
  cluster: 'sa1',
  useTLS: true,
  events: ['CALL'],
};

let harness: GatewayHarness;
let name: string;
let count = 0;
beforeAll(async () => {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
});
afterAll(() => harness.close());
beforeEach(() => {
  name = `loja-${count++}`;
});

const post = (path: string, body: unknown) => harness.ask('POST', path, { body });
const set = async (section: string, body: unknown) =>
  forKnownInstance(await post(`/${section}/set/${name}`, body));
const find = async (section: string) => (await harness.ask('GET', `/${section}/find/${name}`)).body;

describe('switching off works in every spelling that the core API takes (finding 6.1)', () => {
  test.each<[string, object]>([
    ['an empty address', { webhook: { enabled: false, url: '', events: [] } }],
    [
      'a word for an address, as the n8n node sends it',
      { webhook: { enabled: false, url: 'vazio', webhookByEvents: false } },
    ],
    ['nothing but enabled', { webhook: { enabled: false } }],
    ['flat', { enabled: false, url: '', events: [] }],
    ['flat, of version 1', { enabled: false, url: 'vazio', webhook_by_events: false, events: [] }],
    [
      'wrong fields of every kind',
      { webhook: { enabled: false, url: 5, headers: 'x', events: 7, secret: 'short', timeoutMs: 'x' } },
    ],
    [
      'headers that are masks of nothing',
      { webhook: { enabled: false, url: URL, headers: { other: '********' } } },
    ],
    [
      'another address, and masks',
      { webhook: { enabled: false, url: 'https://elsewhere.example/', headers: { a: '********' } } },
    ],
    ['a private address', { webhook: { enabled: false, url: 'http://127.0.0.1/' } }],
    ['an empty address alone', { webhook: { enabled: true, url: '', events: [] } }],
  ])('a webhook, by %s: the rest stays', async (_how, body) => {
    await set('webhook', { webhook: WEBHOOK });
    const answer = await set('webhook', body);
    expect([answer.status, answer.body]).toMatchObject([201, { enabled: false }]);
    const stays = { url: URL, webhookByEvents: expect.any(Boolean), headers: { a: '********' } };
    const found = await find('webhook');
    expect(found).toMatchObject({ enabled: false, events: ['CALL'], headers: stays.headers });
    await set('webhook', { webhook: { enabled: true, url: URL } });
    expect(await find('webhook')).toMatchObject({ enabled: true, events: ['CALL'] });
  });

  test.each<[string, object]>([
    ['an empty address', { enabled: false, url: '', events: [] }],
    ['a word for an address', { enabled: false, url: 'vazio', events: [] }],
  ])('where nothing was set before, too, by %s', async (_how, webhook) => {
    expect(await set('webhook', { webhook })).toMatchObject({
      status: 201,
      body: { enabled: false, events: [] },
    });
    expect(await find('webhook')).toMatchObject({ enabled: false, url: '' });
  });

  test('Pusher, with five empty fields: the app stays, and so does its secret', async () => {
    await set('pusher', { pusher: APP });
    const empty = { enabled: false, appId: '', key: '', secret: '', cluster: '', useTLS: '', events: [] };
    expect(await set('pusher', { pusher: empty })).toMatchObject({ status: 201, body: { enabled: false } });
    expect(await find('pusher')).toMatchObject({
      enabled: false,
      appId: '1',
      cluster: 'sa1',
      events: ['CALL'],
    });
    name = `${name}-new`;
    expect((await set('pusher', { pusher: empty })).status).toBe(201);
  });

  test.each(['rabbitmq', 'sqs', 'websocket'])('%s, whatever its events are', async (section) => {
    await set(section, { [section]: { enabled: true, events: ['CALL'] } });
    expect((await set(section, { [section]: { enabled: false, events: 'x' } })).status).toBe(201);
    expect(await find(section)).toMatchObject({ enabled: false, events: ['CALL'] });
  });

  test('on /instance/create, and in a whole document', async () => {
    const off = {
      webhook: { enabled: false, url: 'vazio', events: [] },
      pusher: { enabled: false, appId: '' },
    };
    expect((await post('/instance/create', { instanceName: name, ...off })).status).toBe(201);
    expect(await find('webhook')).toMatchObject({ enabled: false });
    await set('webhook', { webhook: WEBHOOK });
    expect((await set('settings', { webhook: { enabled: false, url: '' } })).status).toBe(201);
    expect(await find('webhook')).toMatchObject({ enabled: false, url: URL, events: ['CALL'] });
  });

  test('by an instance’s own token that may not list such events', async () => {
    await post('/instance/create', { instanceName: name, token: 'its-own-token', webhook: WEBHOOK });
    const body = { webhook: { enabled: false, events: ['NO_SUCH_EVENT'] } };
    const answer = await harness.ask('POST', `/webhook/set/${name}`, { body, key: 'its-own-token' });
    expect([answer.status, answer.body]).toMatchObject([201, { enabled: false, events: ['CALL'] }]);
  });

  test('what was left out is said', async () => {
    await set('webhook', { webhook: WEBHOOK });
    const answer = await set('webhook', { webhook: { enabled: false, url: 'vazio' } });
    expect(answer.body).toMatchObject({
      warnings: [expect.stringMatching(/^webhook\.url: must be .*switched off$/)],
    });
  });

  test('a stored secret is not sent to an address that was given while it was off (finding 5.4)', async () => {
    await set('webhook', { webhook: { ...WEBHOOK, secret: Buffer.alloc(24, 's').toString('base64') } });
    await set('webhook', { webhook: { enabled: false, url: 'https://elsewhere.example/' } });
    const on = await set('webhook', { webhook: { enabled: true, url: 'https://elsewhere.example/' } });
    expect(on.status).toBe(400);
  });
});

describe('what the core API takes is taken, and means the same', () => {
  test('header values that are no text are sent as text; null is none (finding 6.2)', async () => {
    const headers = { a: 42, b: true, c: null, d: '', e: 'x' };
    const answer = await set('webhook', { webhook: { enabled: true, url: URL, headers } });
    expect([answer.status, Object.keys((answer.body as { headers: object }).headers)]).toEqual([
      201,
      ['a', 'b', 'd', 'e'],
    ]);
    expect((await set('webhook', { webhook: { enabled: true, url: URL, headers: { a: {} } } })).status).toBe(
      400,
    );
  });

  test('headers of the connection are said not to be sent; Host is', async () => {
    const headers = { 'Content-Length': '5', Host: 'inner.test' };
    const { body } = await set('webhook', { webhook: { url: URL, headers } });
    expect(body).toMatchObject({ warnings: [expect.stringContaining('webhook.headers.Content-Length')] });
  });

  test('an empty list of events is answered as every name, so that forms show them chosen (finding 6.5)', async () => {
    for (const section of ['webhook', 'rabbitmq', 'websocket', 'sqs']) {
      const { body } = await set(section, { [section]: { enabled: true, url: URL, events: [] } });
      expect(body).toMatchObject({ events: CORE_KEYS });
      expect(await find(section)).toMatchObject({ events: CORE_KEYS });
    }
    expect(CORE_KEYS).toHaveLength(32);
    await set('webhook', { webhook: { enabled: false, events: [] } });
    expect(await find('webhook')).toMatchObject({ events: [] });
  });

  test('an address with user and password is taken, and shown without them (finding 6.6)', async () => {
    const answer = await set('webhook', { webhook: { enabled: true, url: 'https://u:p@example.com/hook' } });
    expect([answer.status, answer.body]).toMatchObject([
      201,
      { url: 'https://********:********@example.com/hook' },
    ]);
  });

  test.each(['webhookByEvents', 'webhook_by_events', 'webhookBase64'])(
    '%s has no effect in a nested body, as in the core API, and that is said; flat, it has (finding 6.9)',
    async (field) => {
      const nested = await set('webhook', { webhook: { enabled: true, url: URL, [field]: true } });
      expect(nested.body).toMatchObject({
        webhookByEvents: false,
        webhookBase64: false,
        warnings: [expect.stringContaining(`webhook.${field}: has no effect`)],
      });
      const flat = await set('webhook', { enabled: true, url: URL, [field]: true });
      const { webhookByEvents, webhookBase64 } = flat.body as Record<string, boolean>;
      expect([webhookByEvents, webhookBase64]).toContain(true);
    },
  );

  test.each([
    'not base64 at all!!!!',
    'aGVsbG8gd29ybGQgdGhpcyBpcyBh_-',
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw_',
  ])('a secret that official verifiers throw at is refused: %s (finding 6.13)', async (secret) => {
    const answer = await set('webhook', { webhook: { url: URL, secret } });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('webhook.secret')]);
  });

  test('a section whose other sections became wrong can be set all the same', async () => {
    await set('webhook', { webhook: WEBHOOK });
    expect((await set('websocket', { websocket: { enabled: true, events: [] } })).status).toBe(201);
  });
});

describe('the Manager and the n8n node connect (finding 6.11)', () => {
  test('GET / says what answers, without a key', async () => {
    const answer = await harness.ask('GET', '/', { key: null });
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { status: 200, version: expect.any(String), clientName: expect.any(String) },
    ]);
  });

  test('POST /verify-creds tells the right key from a wrong one', async () => {
    expect(await post('/verify-creds', {})).toMatchObject({ status: 200, body: { status: 200 } });
    const wrong = await harness.ask('POST', '/verify-creds', { body: {}, key: 'wrong' });
    expect([wrong.status, wrong.body]).toEqual([401, errorShape(401, 'Unauthorized', 'Unauthorized')]);
  });

  test('GET /instance/fetchInstances lists those with settings, without their tokens', async () => {
    const created = await post('/instance/create', { instanceName: name, webhook: WEBHOOK });
    const { hash } = created.body as { hash: string };
    const all = await harness.ask('GET', '/instance/fetchInstances');
    expect([all.status, all.body]).toEqual([
      200,
      expect.arrayContaining([expect.objectContaining({ name, token: null })]),
    ]);
    expect(all.text).not.toContain(hash);
    const own = await harness.ask('GET', `/instance/fetchInstances?instanceName=${name}`, { key: hash });
    expect(own.body).toEqual([
      expect.objectContaining({ name, Webhook: expect.objectContaining({ url: URL }) }),
    ]);
    expect((await harness.ask('GET', '/instance/fetchInstances', { key: hash })).status).toBe(401);
    expect((await harness.ask('GET', '/instance/fetchInstances?instanceName=nobody')).body).toEqual([]);
    const [{ id = '' } = {}] = own.body as { id?: string }[];
    expect((await harness.ask('GET', `/instance/fetchInstances?instanceId=${id}`)).body).toEqual(own.body);
    for (const query of ['instanceId=nobody', 'number=5511988887777'])
      expect((await harness.ask('GET', `/instance/fetchInstances?${query}`)).status).toBe(404);
  });

  test('the answer to create has every section, whatever was given (finding 6.12)', async () => {
    const { body } = await post('/instance/create', {
      instanceName: name,
      groupsIgnore: true,
      integration: 'WHATSAPP-BUSINESS',
    });
    expect(body).toMatchObject({
      instance: {
        instanceName: name,
        integration: 'WHATSAPP-BUSINESS',
        webhookWaBusiness: null,
        accessTokenWaBusiness: '',
      },
      hash: expect.any(String),
      webhook: {},
      websocket: {},
      rabbitmq: {},
      nats: {},
      sqs: {},
      settings: { rejectCall: false, msgCall: '', groupsIgnore: true, alwaysOnline: false, wavoipToken: '' },
    });
  });
});

describe('what is mistyped is said (finding 7.1)', () => {
  test('a section that does not exist, and flat names that have no effect', async () => {
    const answer = await post('/instance/create', { instanceName: name, webhok: {}, webhookUrl: URL });
    expect(answer.body).toMatchObject({
      warnings: [
        expect.stringContaining('did you mean webhook?'),
        expect.stringContaining('webhookUrl: flat names'),
      ],
    });
  });

  test('no text of a library reaches a client', async () => {
    const wrong = {
      url: 5,
      enabled: 'yes',
      headers: 7,
      events: [5, ''],
      byEvents: 'x',
      maxAttempts: 1e9,
      timeoutMs: 1.5,
      secret: 5,
    };
    const { status, text } = await set('webhook', { webhook: wrong });
    expect(status).toBe(400);
    expect(text).not.toMatch(/Invalid|expected|received|Too (big|small)|Unrecognized/);
    const filters = await harness.ask('GET', '/dead-letters?limit=x&instnace=y');
    expect([filters.status, filters.text]).toEqual([400, expect.stringMatching(/no such field: instnace/)]);
    expect(filters.text).not.toMatch(/Invalid|expected|received|Unrecognized/);
  });
});
