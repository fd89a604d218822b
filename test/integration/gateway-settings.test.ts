import { CORE_KEYS } from '../../src/events/catalogue';
import {
  errorShape,
  forKnownInstance,
  GatewayHarness,
  type HttpAnswer,
} from '../support/harness/gateway-harness';

const SECRET = 'whsec_c2VjcmV0LW9mLWF0LWxlYXN0LTE2';
const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const ROW = {
  id: expect.stringMatching(/^c[0-9a-z]{24}$/),
  createdAt: ISO,
  updatedAt: ISO,
  instanceId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
};
const WEBHOOK_ROW = {
  ...ROW,
  url: 'https://example.com/hook',
  headers: {},
  enabled: true,
  events: CORE_KEYS,
  webhookByEvents: false,
  webhookBase64: false,
};
const PUSHER = { enabled: true, appId: '1', key: 'k', secret: 'hidden-pusher', cluster: 'sa1', useTLS: true };

let harness: GatewayHarness;
let number = 0;
let name = '';

beforeAll(async () => {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
});
afterAll(() => harness.close());
beforeEach(() => {
  name = `loja-${++number}`;
});

const set = async (section: string, body: unknown): Promise<HttpAnswer> =>
  forKnownInstance(await harness.ask('POST', `/${section}/set/${name}`, { body }));
const find = (section: string): Promise<HttpAnswer> => harness.ask('GET', `/${section}/find/${name}`);
const remove = (section: string): Promise<HttpAnswer> => harness.ask('DELETE', `/${section}/set/${name}`);

describe('the core API’s answers', () => {
  test('rows name the instance by its id at the core API, where that is known: by that it is found, and webhooks carry it', async () => {
    const instanceId = `7c1f5b0e-0000-4000-8000-${String(number).padStart(12, '0')}`;
    const body = { instanceId, webhook: { url: 'https://example.com/hook' } };
    expect((await harness.ask('POST', `/settings/set/${name}`, { body })).status).toBe(201);
    const { body: row } = await find('webhook');
    expect(row).toMatchObject({ instanceId });
    expect((await set('websocket', { websocket: { enabled: true } })).body).toMatchObject({ instanceId });
    const listed = await harness.ask('GET', `/instance/fetchInstances?instanceId=${instanceId}`);
    expect(listed.body).toMatchObject([{ id: instanceId, name, Webhook: { instanceId } }]);
  });

  test('a webhook that is set is answered with 201 and its row, and found as the same row', async () => {
    const webhook = {
      enabled: true,
      url: 'https://example.com/hook',
      byEvents: true,
      base64: true,
      events: ['MESSAGES_UPSERT'],
    };
    const answer = await set('webhook', { webhook });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      ...WEBHOOK_ROW,
      events: ['MESSAGES_UPSERT'],
      webhookByEvents: true,
      webhookBase64: true,
    });
    const found = await find('webhook');
    expect([found.status, found.body]).toEqual([200, answer.body]);
  });

  test.each(['rabbitmq', 'sqs', 'websocket'])('%s: the row of a switch', async (section) => {
    const answer = await set(section, { [section]: { enabled: true, events: ['CALL'] } });
    expect([answer.status, answer.body]).toEqual([201, { ...ROW, enabled: true, events: ['CALL'] }]);
    expect((await find(section)).body).toEqual(answer.body);
  });

  test('pusher: the row of an app, its secret masked', async () => {
    const answer = await set('pusher', { pusher: { ...PUSHER, events: [] } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ ...PUSHER, ...ROW, events: CORE_KEYS, secret: '********' });
    expect((await find('pusher')).body).toEqual(expect.objectContaining({ ...ROW, secret: '********' }));
  });

  test.each(['webhook', 'pusher', 'rabbitmq', 'sqs', 'websocket'])(
    '%s: what was never set is found as null, and cannot be deleted',
    async (section) => {
      const found = await find(section);
      expect([found.status, found.text]).toEqual([200, 'null']);
      expect(found.headers['content-type']).toMatch(/^application\/json/);
      const removed = await remove(section);
      expect([removed.status, removed.body]).toEqual([
        404,
        errorShape(404, 'Not Found', [expect.any(String)]),
      ]);
    },
  );

  test.each(['rabbitmq', 'sqs', 'websocket'])('%s: deleted, it is null again', async (section) => {
    await set(section, { [section]: { enabled: true, events: [] } });
    const removed = await remove(section);
    expect([removed.status, removed.body]).toEqual([
      200,
      { status: 'SUCCESS', error: false, response: { message: `${section} deleted` } },
    ]);
    expect((await find(section)).text).toBe('null');
  });

  test('a field that is missing is named in a list within a list', async () => {
    const answer = await set('webhook', { webhook: { enabled: true } });
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(
      errorShape(400, 'Bad Request', [[expect.stringContaining('webhook.url: is required')]]),
    );
    expect((await find('webhook')).text).toBe('null');
  });

  test('an address that is none is refused with what it must be', async () => {
    const answer = await set('webhook', { webhook: { enabled: true, url: 'ftp://example.com' } });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('http:// or https://')]);
  });

  test.each([
    ['nested', { webhook: { enabled: true, url: 'https://example.com/hook', byEvents: true } }],
    ['flat', { enabled: true, url: 'https://example.com/hook', byEvents: true }],
    [
      'flat, of version 1',
      { url: 'https://example.com/hook', webhook_by_events: true, webhook_base64: false },
    ],
    [
      'flat, of the answer',
      { webhookUrl: 'https://example.com/hook', webhookByEvents: true, webhookEvents: [] },
    ],
    ['with headers null', { webhook: { url: 'https://example.com/hook', byEvents: true, headers: null } }],
  ])('a body that is %s is understood', async (_how, body) => {
    const answer = await set('webhook', body);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ ...WEBHOOK_ROW, webhookByEvents: true });
  });

  test('an event that nobody knows is kept, with a warning', async () => {
    const answer = await set('websocket', { websocket: { enabled: true, events: ['NEW_IN_3_0', 'CALL'] } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      events: ['NEW_IN_3_0', 'CALL'],
      warnings: [expect.stringContaining('NEW_IN_3_0')],
    });
    expect((await find('websocket')).body).toMatchObject({ events: ['NEW_IN_3_0', 'CALL'] });
  });
});

describe('events that no source brings', () => {
  let narrowed: GatewayHarness;
  beforeAll(async () => {
    narrowed = await GatewayHarness.start({
      RABBITMQ_URI: 'amqp://localhost',
      RABBITMQ_EVENTS_MESSAGES_UPSERT: 'true',
    });
  });
  afterAll(() => narrowed.close());
  const body = { webhook: { url: 'https://example.com/hook', events: ['MESSAGES_UPSERT', 'CALL'] } };
  const inVain = expect.stringMatching(/^webhook\.events: no source brings CALL, which RABBITMQ_EVENTS_… /);

  test('are told when a webhook is set to them, and when they are set for a new instance', async () => {
    const answer = forKnownInstance(await narrowed.ask('POST', `/webhook/set/${name}`, { body }));
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ warnings: [inVain] });
    const created = await narrowed.ask('POST', '/instance/create', {
      body: { instanceName: `${name}-new`, ...body },
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ warnings: [inVain] });
  });

  test('are told of nothing but what was set', async () => {
    await narrowed.ask('POST', `/webhook/set/${name}`, { body });
    const answer = await narrowed.ask('POST', `/rabbitmq/set/${name}`, { body: { events: ['CALL'] } });
    expect(answer.body).not.toHaveProperty('warnings');
    const again = await narrowed.ask('POST', `/webhook/set/${name}`, { body });
    expect(again.body).not.toHaveProperty('warnings');
  });
});

describe('what a change leaves alone', () => {
  const url = 'https://example.com/hook';

  test('what is switched off stays off whatever else is set, and that is said', async () => {
    await set('webhook', { webhook: { enabled: false, url } });
    const changed = await set('webhook', { webhook: { url: 'https://example.com/other' } });
    expect(changed.body).toMatchObject({
      enabled: false,
      warnings: [expect.stringMatching(/^webhook\.enabled: is false.*stays switched off/)],
    });
    const on = await set('webhook', { webhook: { enabled: true, url } });
    expect(on.body).not.toHaveProperty('warnings');
  });

  test('fields that are not named stay, null removes one', async () => {
    const headers = { authorization: 'Bearer hidden' };
    await set('webhook', { webhook: { url, headers, secret: SECRET, maxAttempts: 3, timeoutMs: 9000 } });
    await set('webhook', { webhook: { enabled: true, url, base64: true, events: ['CALL'] } });
    const found = await find('webhook');
    expect(found.body).toMatchObject({
      headers: { authorization: '********' },
      secret: '********',
      maxAttempts: 3,
      timeoutMs: 9000,
      webhookBase64: true,
      events: ['CALL'],
    });
    const answer = await set('webhook', { webhook: { secret: null, maxAttempts: null } });
    expect(answer.status).toBe(201);
    expect(answer.body).not.toHaveProperty('secret');
    expect(answer.body).not.toHaveProperty('maxAttempts');
    expect(answer.body).toMatchObject({ url, timeoutMs: 9000 });
  });

  test.each([
    ['no list', {}],
    ['an empty list', { events: [] }],
  ])('disabled with %s, it keeps its events', async (_how, more) => {
    await set('webhook', { webhook: { url, events: ['CALL'] } });
    const disabled = await set('webhook', { webhook: { enabled: false, url, ...more } });
    expect(disabled.body).toMatchObject({ enabled: false, events: ['CALL'] });
    const enabled = await set('webhook', { webhook: { enabled: true } });
    expect(enabled.body).toMatchObject({ enabled: true, events: ['CALL'], url });
  });

  test('enabled with an empty list it is every event again', async () => {
    await set('webhook', { webhook: { url, events: ['CALL'] } });
    expect((await set('webhook', { webhook: { enabled: true, url, events: [] } })).body).toMatchObject({
      events: CORE_KEYS,
    });
  });

  test('a change keeps when it was created and tells when it was updated; no change does neither', async () => {
    const first = (await set('webhook', { webhook: { url } })).body as Record<string, string>;
    const same = (await set('webhook', { webhook: { url } })).body;
    expect(same).toEqual(first);
    const changed = (await set('webhook', { webhook: { base64: true } })).body as Record<string, string>;
    expect(changed['createdAt']).toBe(first['createdAt']);
    expect(Date.parse(String(changed['updatedAt']))).toBeGreaterThan(Date.parse(String(first['updatedAt'])));
  });

  test('times that a client makes up are not taken', async () => {
    const made = { createdAt: '1999-01-01T00:00:00.000Z', updatedAt: 'yesterday' };
    const answer = await set('webhook', { webhook: { url, ...made } });
    expect(answer.body).toMatchObject({ createdAt: ISO, updatedAt: ISO });
    expect(answer.text).not.toContain('1999');
  });

  test('what is refused changes nothing', async () => {
    await set('webhook', { webhook: { url, events: ['CALL'] } });
    const before = (await find('webhook')).text;
    for (const bad of [
      { url: 'nonsense' },
      { events: 'CALL' },
      { headers: { 'a b': 'c' } },
      { timeoutMs: 0 },
    ]) {
      const answer = await set('webhook', { webhook: { ...bad, base64: true } });
      expect([answer.status, answer.body]).toEqual([400, errorShape(400, 'Bad Request')]);
    }
    expect((await find('webhook')).text).toBe(before);
  });
});

describe('secrets', () => {
  const url = 'https://example.com/hook';
  const headers = { authorization: 'Bearer hidden-header', jwt_key: 'hidden-jwt' };

  test('never come back, from no route', async () => {
    const hidden = { url, headers, secret: SECRET };
    const answers = [
      await harness.ask('POST', `/settings/set/${name}`, {
        body: { token: 'hidden-token', webhook: hidden, webhooks: { n8n: hidden }, pusher: PUSHER },
      }),
      await set('webhook', { webhook: hidden }),
      await harness.ask('POST', `/webhook/set/${name}/n8n`, { body: hidden }),
      await set('pusher', { pusher: PUSHER }),
      ...(await Promise.all(['webhook', 'pusher', 'settings'].map(find))),
      await harness.ask('GET', `/webhook/find/${name}/n8n`),
      await harness.ask('GET', '/metrics'),
      await set('webhook', { webhook: { ...hidden, secret: `${SECRET},no` } }),
      await set('pusher', { pusher: { ...PUSHER, cluster: 5 } }),
    ];
    for (const { text } of answers) {
      expect(text).not.toMatch(/hidden/);
      expect(text).not.toContain(SECRET.slice(6));
    }
    expect(harness.gateway.log).not.toMatch(/hidden/);
  });

  test('a mask stands for what is stored: what was found can be set again', async () => {
    await set('webhook', { webhook: { url, headers, secret: SECRET } });
    const { body } = await find('webhook');
    expect((await set('webhook', { webhook: body })).body).toEqual(body);
    const redis = harness.connectRedis();
    const stored = JSON.parse((await harness.stored(redis, name)) ?? '{}');
    redis.disconnect();
    expect(stored.webhook).toMatchObject({ headers, secret: SECRET });
  });

  test('a mask for which nothing is stored is refused', async () => {
    const answer = await set('webhook', { webhook: { url, secret: '********' } });
    expect([answer.status, answer.body]).toEqual([400, errorShape(400, 'Bad Request')]);
    expect((await find('webhook')).text).toBe('null');
  });
});
