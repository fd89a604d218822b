import { writeFileSync } from 'node:fs';
import { CORE_KEYS } from '../../src/events/catalogue';
import { errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { folderWith } from '../support/values/folders';

const URL = 'https://example.com/hook';
const REFUSED = errorShape(400, 'Bad Request');

describe('instances', () => {
  let harness: GatewayHarness;
  let number = 0;
  let name = '';

  beforeAll(async () => {
    harness = await GatewayHarness.start();
  });
  afterAll(() => harness.close());
  beforeEach(() => {
    name = `loja-${++number}`;
  });

  const create = (body: unknown) => harness.ask('POST', '/instance/create', { body });
  const found = async (path: string) => (await harness.ask('GET', path)).body;

  test('created as the core API’s clients do, an instance answers with its token, for the only time', async () => {
    const answer = await create({
      instanceName: name,
      integration: 'WHATSAPP-BAILEYS',
      qrcode: true,
      webhook: { url: URL, byEvents: true, headers: { a: 'b' }, events: ['CALL'] },
      rabbitmq: { enabled: true, events: [] },
      websocket: { enabled: true, events: ['CALL'] },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      instance: {
        instanceName: name,
        instanceId: expect.any(String),
        integration: 'WHATSAPP-BAILEYS',
        webhookWaBusiness: null,
        accessTokenWaBusiness: '',
        status: 'created',
      },
      hash: expect.stringMatching(/^[0-9A-F-]{36}$/),
      webhook: {
        webhookUrl: URL,
        webhookHeaders: { a: '********' },
        webhookByEvents: true,
        webhookBase64: false,
      },
      rabbitmq: { enabled: true },
      websocket: { enabled: true },
      nats: {},
      sqs: {},
      settings: expect.any(Object),
    });
    const { hash } = answer.body as { hash: string };
    const own = await harness.ask('GET', `/webhook/find/${name}`, { key: hash });
    expect([own.status, own.body]).toMatchObject([200, { url: URL, events: ['CALL'] }]);
    expect((await harness.ask('GET', `/settings/find/${name}`)).text).not.toContain(hash);
  });

  test('a token of its own choice is taken; an empty one is as good as none', async () => {
    expect((await create({ instanceName: name, token: 'my-own-token' })).body).toMatchObject({
      hash: 'my-own-token',
    });
    for (const [index, token] of ['', null].entries()) {
      const answer = await create({ instanceName: `${name}-${index}`, token });
      expect([answer.status, answer.body]).toMatchObject([
        201,
        { hash: expect.stringMatching(/^[0-9A-F-]{36}$/) },
      ]);
    }
  });

  test('sections that are null are not there', async () => {
    const answer = await create({ instanceName: name, webhook: null, pusher: null, sqs: { enabled: true } });
    expect([answer.status, answer.body]).toMatchObject([201, { sqs: { enabled: true } }]);
  });

  test('a name that is taken is refused with 403, and nothing changes', async () => {
    await create({ instanceName: name, webhook: { url: URL } });
    const again = await create({ instanceName: name, webhook: { url: 'https://example.com/other' } });
    expect([again.status, again.body]).toEqual([
      403,
      errorShape(403, 'Forbidden', [`This name "${name}" is already in use.`]),
    ]);
    expect(await found(`/webhook/find/${name}`)).toMatchObject({ url: URL });
  });

  test.each([
    [undefined],
    [{}],
    [[]],
    [{ instanceName: '' }],
    [{ instanceName: 5 }],
    [{ instanceName: 'a'.repeat(256) }],
    [{ instanceName: 'line\nbreak' }],
    [{ instanceName: 'half a pair \ud800' }],
  ])('%j names no instance', async (body) => {
    const answer = await create(body);
    expect([answer.status, answer.body]).toEqual([400, REFUSED]);
    expect(answer.text).toContain('instance');
  });

  test('of two that create the same instance at once, one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        create({ instanceName: name, token: `token-number-${index}` }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(403)]);
  });

  test('deleted, an instance is forgotten with everything; a second time there is nothing', async () => {
    await create({ instanceName: name, token: 'token-to-forget', webhook: { url: URL } });
    const deleted = await harness.ask('DELETE', `/instance/delete/${name}`);
    expect([deleted.status, deleted.body]).toEqual([
      200,
      { status: 'SUCCESS', error: false, response: { message: 'Instance deleted' } },
    ]);
    expect(await found(`/settings/find/${name}`)).toBeNull();
    expect((await harness.ask('GET', `/webhook/find/${name}`, { key: 'token-to-forget' })).status).toBe(401);
    const again = await harness.ask('DELETE', `/instance/delete/${name}`);
    expect([again.status, again.body]).toEqual([404, errorShape(404, 'Not Found', [expect.any(String)])]);
  });

  describe('named webhooks', () => {
    test('each is set, found and deleted by itself', async () => {
      await harness.ask('POST', `/webhook/set/${name}`, { body: { url: URL } });
      const n8n = await harness.ask('POST', `/webhook/set/${name}/n8n`, {
        body: { webhook: { url: `${URL}/n8n`, events: ['CALL'] } },
      });
      expect([n8n.status, n8n.body]).toMatchObject([
        201,
        { url: `${URL}/n8n`, events: ['CALL'], enabled: true },
      ]);
      expect(await found(`/webhook/find/${name}/n8n`)).toEqual(n8n.body);
      expect(await found(`/webhook/find/${name}`)).toMatchObject({ url: URL, events: CORE_KEYS });
      expect((await harness.ask('DELETE', `/webhook/set/${name}/n8n`)).status).toBe(200);
      expect(await found(`/webhook/find/${name}/n8n`)).toBeNull();
      expect(await found(`/webhook/find/${name}`)).toMatchObject({ url: URL });
    });

    test.each(['constructor', 'toString', 'valueOf'])('%s is a name like any other', async (webhook) => {
      await harness.ask('POST', `/webhook/set/${name}`, { body: { url: URL } });
      expect(await found(`/webhook/find/${name}/${webhook}`)).toBeNull();
      expect((await harness.ask('DELETE', `/webhook/set/${name}/${webhook}`)).status).toBe(404);
      const answer = await harness.ask('POST', `/webhook/set/${name}/${webhook}`, { body: { url: URL } });
      expect(answer.status).toBe(201);
      expect(await found(`/webhook/find/${name}/${webhook}`)).toEqual(answer.body);
      expect(await found(`/webhook/find/${name}/hasOwnProperty`)).toBeNull();
    });

    test.each(['a b', 'a%2Fb', '__proto__', 'ä', 'a'.repeat(65)])('%s is no name', async (webhook) => {
      const path = `/webhook/set/${name}/${encodeURI(webhook).replace('%252F', '%2F')}`;
      const answer = await harness.ask('POST', path, { body: { url: URL } });
      expect([answer.status, answer.body]).toEqual([400, REFUSED]);
      expect(await found(`/settings/find/${name}`)).toBeNull();
    });

    test('there is a limit to how many', async () => {
      const webhooks = Object.fromEntries(
        Array.from({ length: 50 }, (_, index) => [`w${index}`, { url: URL }]),
      );
      expect((await harness.ask('POST', `/settings/set/${name}`, { body: { webhooks } })).status).toBe(201);
      const answer = await harness.ask('POST', `/webhook/set/${name}/one-more`, { body: { url: URL } });
      expect([answer.status, answer.body]).toEqual([400, REFUSED]);
    });
  });

  describe('all settings at once', () => {
    /** The "Complete Instance Configuration" of the core API's documentation, shortened. */
    const complete = () => ({
      instanceName: name,
      webhook: { enabled: true, url: URL, byEvents: false, base64: true, headers: {}, events: ['CALL'] },
      rabbitmq: { enabled: true, events: ['MESSAGES_UPSERT'] },
      websocket: { enabled: true, events: ['MESSAGES_UPSERT'] },
      sqs: { enabled: false, events: ['CALL'] },
    });

    test('sections that are given are replaced, null removes one, others stay', async () => {
      const first = await harness.ask('POST', `/settings/set/${name}`, { body: complete() });
      expect(first.status).toBe(201);
      const second = await harness.ask('POST', `/settings/set/${name}`, {
        body: { sqs: null, websocket: { enabled: false } },
      });
      expect(second.status).toBe(201);
      expect(await found(`/settings/find/${name}`)).toEqual(second.body);
      expect(second.body).toMatchObject({
        webhook: { url: URL, base64: true },
        rabbitmq: { events: ['MESSAGES_UPSERT'] },
        websocket: {
          enabled: false,
          events: (first.body as { websocket: { events: string[] } }).websocket.events,
        },
      });
      expect(second.body).not.toHaveProperty('sqs');
    });

    test('what was found can be set again, and nothing changes', async () => {
      await harness.ask('POST', `/settings/set/${name}`, {
        body: {
          ...complete(),
          token: 'token-to-keep',
          pusher: { appId: '1', key: 'k', secret: 's', cluster: 'x' },
        },
      });
      const before = await found(`/settings/find/${name}`);
      const answer = await harness.ask('POST', `/settings/set/${name}`, { body: before });
      expect([answer.status, answer.body]).toEqual([201, before]);
      expect((await harness.ask('GET', `/webhook/find/${name}`, { key: 'token-to-keep' })).status).toBe(200);
    });
  });
});

describe('the file of settings', () => {
  let harness: GatewayHarness;
  const folder = folderWith();
  const file = `${folder.path}/instances.json`;
  const secret = 'whsec_c2VjcmV0LW9mLWF0LWxlYXN0LTE2';

  beforeAll(async () => {
    const loja = {
      instanceName: 'loja',
      token: 'token-in-file',
      webhook: { url: URL, secret, events: ['CALL'] },
      websocket: { enabled: true, events: ['CALL'] },
      webhooks: { n8n: { url: `${URL}/n8n` } },
    };
    writeFileSync(file, JSON.stringify([loja, { instanceName: 'quiet', rabbitmq: { enabled: true } }]));
    harness = await GatewayHarness.start({ SETTINGS_FILE: file });
  });
  afterAll(async () => {
    await harness.close();
    folder.remove();
  });

  test('is found as if it were set, and opens its own paths', async () => {
    const answer = await harness.ask('GET', '/webhook/find/loja', { key: 'token-in-file' });
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { url: URL, secret: '********', createdAt: expect.any(String), updatedAt: expect.any(String) },
    ]);
  });

  test('a change over HTTP starts from it and comes before it; deleted, the file counts again', async () => {
    const before = (await harness.ask('GET', '/webhook/find/loja')).body as { updatedAt: string };
    const changed = await harness.ask('POST', '/webhook/set/loja', { body: { base64: true } });
    expect(changed.body).toMatchObject({
      url: URL,
      secret: '********',
      events: ['CALL'],
      webhookBase64: true,
    });
    expect(Date.parse((changed.body as { updatedAt: string }).updatedAt)).toBeGreaterThan(
      Date.parse(before.updatedAt),
    );
    expect((await harness.ask('GET', '/websocket/find/loja')).body).toMatchObject({ events: ['CALL'] });
    expect((await harness.ask('GET', '/webhook/find/loja/n8n')).body).toMatchObject({ url: `${URL}/n8n` });
    expect((await harness.ask('DELETE', '/webhook/set/loja')).status).toBe(200);
    expect((await harness.ask('GET', '/webhook/find/loja')).body).toEqual(before);
  });

  test.each(['/webhook/set/loja/n8n', '/websocket/set/loja', '/instance/delete/quiet'])(
    'DELETE %s: what only the file says is not deleted, and the refusal says where it stands',
    async (path) => {
      const answer = await harness.ask('DELETE', path);
      expect([answer.status, answer.body]).toEqual([400, errorShape(400, 'Bad Request')]);
      expect(answer.text).toContain('SETTINGS_FILE');
    },
  );
});
