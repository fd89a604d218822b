import { connect } from 'node:net';
import { API_KEY, errorShape, GatewayHarness } from '../support/harness/gateway-harness';
import { HOST } from '../support/processes/ports';

const URL = 'https://example.com/hook';

let harness: GatewayHarness;

beforeAll(async () => {
  harness = await GatewayHarness.start({
    CORS_ORIGIN: 'https://panel.example.com',
    CORS_METHODS: 'GET,POST',
    CORS_CREDENTIALS: 'true',
  });
});
afterAll(() => harness.close());

/** Bytes as they stand; all that is answered until the connection ends. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(harness.gateway.gatewayPort, HOST, () => socket.write(text, 'latin1'));
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('bad input', () => {
  const bad = errorShape(400, 'Bad Request');

  test.each([
    ['half an object', '{"webhook":'],
    ['no JSON', 'hello'],
    ['a prototype', '{"webhook":{"url":"https://example.com/hook","__proto__":{"a":1}}}'],
    ['a list', '[]'],
    ['text', '"x"'],
    ['a number', '5'],
    ['null', 'null'],
    ['nothing', ''],
    ['a section that is null', '{"webhook":null}'],
    ['a section that is text', '{"webhook":"https://example.com/hook"}'],
    ['a section that is a list', '{"webhook":[]}'],
    ['an address that is a number', '{"webhook":{"url":5}}'],
    [
      'an address of 501 characters',
      JSON.stringify({ webhook: { url: `https://example.com/${'a'.repeat(482)}` } }),
    ],
    ['a switch that is text', '{"webhook":{"url":"https://example.com/hook","enabled":"true"}}'],
    ['events that are text', '{"webhook":{"url":"https://example.com/hook","events":"CALL"}}'],
    ['an event that is a number', '{"webhook":{"url":"https://example.com/hook","events":[1]}}'],
    ['an event without a name', '{"webhook":{"url":"https://example.com/hook","events":[""]}}'],
    [
      'a header with a line break',
      '{"webhook":{"url":"https://example.com/hook","headers":{"a":"b\\r\\nc: d"}}}',
    ],
    ['a header that is an object', '{"webhook":{"url":"https://example.com/hook","headers":{"a":{}}}}'],
    ['too many events', JSON.stringify({ webhook: { url: URL, events: Array(201).fill('CALL') } })],
    ['a secret that is no key', '{"webhook":{"url":"https://example.com/hook","secret":"short"}}'],
    ['no attempt at all', '{"webhook":{"url":"https://example.com/hook","maxAttempts":0}}'],
  ])('%s is refused in the core API’s shape, and nothing is stored', async (_what, body) => {
    for (const path of ['/webhook/set/bad', '/webhook/set/bad/name']) {
      const answer = await harness.ask('POST', path, {
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect([answer.status, answer.body]).toEqual([400, bad]);
    }
    expect((await harness.ask('GET', '/settings/find/bad')).text).toBe('null');
  });

  test('every problem of a document is told at once, each by its field', async () => {
    const body = {
      webhook: { url: 5, events: 'CALL' },
      pusher: { appId: '1' },
      sqs: { enabled: 'yes' },
      token: 'x',
    };
    const answer = await harness.ask('POST', '/settings/set/bad', { body });
    const { response } = answer.body as { response: { message: [string[]] } };
    const fields = response.message[0].map((problem) => problem.split(':')[0]);
    expect(new Set(fields)).toEqual(
      new Set([
        'token',
        'webhook.url',
        'webhook.events',
        'pusher.key',
        'pusher.secret',
        'pusher.cluster',
        'sqs.enabled',
      ]),
    );
  });

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:5678/n8n'],
    ['localhost', 'http://localhost:5678/n8n'],
    ['a network of Docker', 'http://172.17.0.2:5678/n8n'],
    ['metadata of a cloud', 'http://169.254.169.254/latest'],
    ['in other spelling', 'http://0x7f.1/'],
    ['IPv6', 'http://[::1]/'],
  ])('a webhook inside (%s) is refused, naming WEBHOOK_ALLOWED_NETWORKS', async (_what, url) => {
    const paths = ['/webhook/set/inside', '/webhook/set/inside/n8n', '/settings/set/inside'];
    for (const path of paths) {
      const body = path.startsWith('/settings') ? { webhook: { url } } : { url };
      const answer = await harness.ask('POST', path, { body });
      expect([answer.status, answer.body]).toEqual([400, bad]);
      expect(answer.text).toContain('WEBHOOK_ALLOWED_NETWORKS');
    }
    const created = await harness.ask('POST', '/instance/create', {
      body: { instanceName: 'inside', webhook: { url } },
    });
    expect(created.status).toBe(400);
    expect((await harness.ask('GET', '/settings/find/inside')).text).toBe('null');
  });

  test('a body that is too large is answered with 413', async () => {
    const body = JSON.stringify({ webhook: { url: URL, headers: { a: 'x'.repeat(1_100_000) } } });
    const answer = await harness.ask('POST', '/webhook/set/large', { body });
    expect([answer.status, answer.body]).toEqual([413, errorShape(413, 'Payload Too Large')]);
    expect(answer.text).toContain('524288');
  });

  test('a client that sends far too much sees that answer, and no connection that ends', async () => {
    const body = JSON.stringify({ webhook: { url: URL, headers: { a: 'x'.repeat(20_000_000) } } });
    for (const path of ['/webhook/set/large', '/webhook/test-filter/large', '/deliveries/replay']) {
      const headers = { apikey: API_KEY, 'content-type': 'application/json' };
      for (let round = 0; round < 5; round++)
        expect((await fetch(harness.url + path, { method: 'POST', headers, body })).status).toBe(413);
    }
  });

  test('ten thousand chats are refused with how many there may be', async () => {
    const only = Array.from({ length: 10_000 }, (_, index) => `${5_511_900_000_000 + index}@s.whatsapp.net`);
    const answer = await harness.ask('POST', '/webhook/set/large', {
      body: { webhook: { url: URL, chats: { only } } },
    });
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('webhook.chats.only: must be no more than 1000'),
    ]);
  });

  test('who has no key may not even send a body', async () => {
    const answer = await raw(
      'POST /webhook/set/large HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('a body of another type is refused with what it must be', async () => {
    const headers = { 'content-type': 'application/xml' };
    const answer = await harness.ask('POST', '/webhook/set/x', { body: '<a/>', headers });
    expect([answer.status, answer.body]).toEqual([415, errorShape(415, 'Unsupported Media Type')]);
    const text = await harness.ask('POST', '/webhook/set/x', {
      body: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    expect([text.status, text.text]).toEqual([400, expect.stringContaining('application/json')]);
    const zipped = await harness.ask('POST', '/webhook/set/x', {
      body: 'no JSON before it is unpacked',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    });
    expect([zipped.status, zipped.text]).toEqual([415, expect.stringContaining('must not be compressed')]);
  });

  test.each([
    ['GET', '/nowhere'],
    ['PUT', '/webhook/set/x'],
    ['GET', '/webhook/find'],
    ['PATCH', '/'],
  ])('%s %s is no route', async (method, path) => {
    const answer = await harness.ask(method, path);
    expect([answer.status, answer.body]).toEqual([
      404,
      errorShape(404, 'Not Found', [`Cannot ${method} ${path}`]),
    ]);
  });

  test('no answer repeats the query of an address, which may hold a key (finding 5.4)', async () => {
    for (const path of [
      '/%?apikey=tenants-token',
      '/nowhere?apikey=tenants-token',
      '/webhook/find/%ff?apikey=tenants-token',
    ]) {
      const { status, text } = await harness.ask('GET', path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).not.toContain('tenants-token');
    }
  });

  test('what is no HTTP ends the connection, and the gateway goes on', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await harness.ask('GET', '/healthz')).status).toBe(200);
  });
});

describe('names of instances', () => {
  test.each([
    ['a slash', 'loja/centro'],
    ['dots', 'loja.centro.'],
    ['two dots', '..'],
    ['a space', 'loja do centro'],
    ['Unicode', 'lója 商店 👋'],
    ['a percent sign', '100%'],
    ['what looks encoded', 'a%2Fb'],
    ['a question mark and a hash', 'a?b#c'],
    ['a plus', 'a+b'],
    ['a name of JavaScript', '__proto__'],
    ['another', 'constructor'],
    ['a Redis pattern', '{*}:[a]'],
    ['255 characters', 'n'.repeat(255)],
    ['255 characters of three bytes', '商'.repeat(255)],
  ])('%s', async (_what, name) => {
    const path = encodeURIComponent(name).replaceAll('.', '%2E');
    const set = await harness.ask('POST', `/webhook/set/${path}`, { body: { url: URL } });
    expect([set.status, set.body]).toMatchObject([201, { url: URL }]);
    const redis = harness.connectRedis();
    const stored = await harness.stored(redis, name);
    redis.disconnect();
    expect(JSON.parse(stored ?? 'null')).toMatchObject({ webhook: { url: URL } });
    // Which core has the instance is not known: the answer says so.
    const { warnings: _warnings, ...row } = set.body as Record<string, unknown>;
    expect((await harness.ask('GET', `/webhook/find/${path}`)).body).toEqual(row);
    expect((await harness.ask('DELETE', `/instance/delete/${path}`)).status).toBe(200);
    expect((await harness.ask('GET', `/webhook/find/${path}`)).body).toBeNull();
  });

  test.each([
    ['256 characters', 'n'.repeat(256)],
    ['a line break', 'a%0Ab'],
    ['a zero', 'a%00b'],
    ['half an encoded character', 'a%E0%A4%A'],
    ['a lone percent sign', '100%'],
    ['bytes that are no UTF-8', '%FF%FE'],
    ['thousands of characters', 'n'.repeat(5000)],
  ])('%s: refused in the same shape', async (_what, path) => {
    const answer = await harness.ask('POST', `/webhook/set/${path}`, { body: { url: URL } });
    expect([400, 414]).toContain(answer.status);
    expect(answer.body).toEqual(errorShape(answer.status, expect.any(String) as unknown as string));
  });

  test('a slash at the end changes nothing, as in the core API', async () => {
    await harness.ask('POST', '/webhook/set/slash/', { body: { url: URL } });
    expect((await harness.ask('GET', '/webhook/find/slash')).body).toMatchObject({ url: URL });
    expect((await harness.ask('GET', '/webhook/find/slash/')).body).toMatchObject({ url: URL });
  });
});

describe('CORS by the core API’s variables', () => {
  const origin = 'https://panel.example.com';

  test('a page of the origin may ask, with its key', async () => {
    const answer = await harness.ask('OPTIONS', '/webhook/set/loja', {
      key: null,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'apikey,content-type',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'apikey,content-type',
      'access-control-allow-credentials': 'true',
    });
  });

  test('its errors can be read by the page as well', async () => {
    const answer = await harness.ask('GET', '/webhook/find/loja', { key: null, headers: { origin } });
    expect(answer.status).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
  });

  test('pages of other origins may not', async () => {
    const answer = await harness.ask('GET', '/webhook/find/loja', {
      headers: { origin: 'https://evil.example' },
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });
});

describe('the description of itself', () => {
  interface Description {
    readonly openapi: string;
    readonly paths: Readonly<
      Record<string, Readonly<Record<string, { summary?: string; security?: unknown }>>>
    >;
  }
  const ROUTES = [
    ...['webhook', 'pusher', 'websocket', 'rabbitmq', 'sqs', 'settings'].flatMap((section) => [
      `post /${section}/set/{instance}`,
      `get /${section}/find/{instance}`,
    ]),
    'delete /webhook/set/{instance}',
    'post /webhook/set/{instance}/{name}',
    'get /webhook/find/{instance}/{name}',
    'delete /webhook/set/{instance}/{name}',
    'post /webhook/test/{instance}',
    'post /instance/create',
    'delete /instance/delete/{instance}',
    'get /dead-letters',
    'get /dead-letters/{id}',
    'post /dead-letters/replay',
    'delete /dead-letters',
    'get /audit',
  ];

  test.each(ROUTES)('%s stands in /docs/json, with its key', async (route) => {
    const { status, body } = await harness.ask('GET', '/docs/json', { key: null });
    const [method = '', path = ''] = route.split(' ');
    const entry = (body as Description).paths[path]?.[method];
    expect([status, entry]).toMatchObject([200, { summary: expect.any(String), security: [{ apikey: [] }] }]);
  });

  test('nothing that refers to elsewhere is left open, and no key of this gateway is told', async () => {
    const { text } = await harness.ask('GET', '/docs/json', { key: null });
    for (const [, name] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = name
        ?.split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], JSON.parse(text));
      expect(found).toBeDefined();
    }
    expect(text).not.toContain(API_KEY);
  });

  test('/docs shows it to people, each route with a word on what it does', async () => {
    const { body } = await harness.ask('GET', '/docs/json', { key: null });
    const routes = Object.values((body as Description).paths).flatMap((each) => Object.values(each));
    expect(routes.filter(({ summary }) => summary === undefined)).toEqual([]);
    const { status, text } = await harness.ask('GET', '/docs/', { key: null });
    expect([status, text]).toEqual([200, expect.stringContaining('swagger')]);
  });
});
