import { request } from 'node:http';
import { API_KEY, forKnownInstance, GatewayHarness } from '../support/harness/gateway-harness';
import { HOST } from '../support/processes/ports';

/** Forms of what clients send that are not those of today: encodings, older bodies, names that nobody sees to be others. */

const URL = 'https://example.com/hook';

let harness: GatewayHarness;
beforeAll(async () => {
  harness = await GatewayHarness.start({});
});
afterAll(() => harness.close());

/** Bytes as they are. */
function send(
  path: string,
  body: Buffer,
  type = 'application/json',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { apikey: API_KEY, 'content-type': type, 'content-length': body.length };
    const sent = request(
      { host: HOST, port: harness.gateway.gatewayPort, method: 'POST', path, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const post = (path: string, body: unknown) => harness.ask('POST', path, { body });
const warningsOf = ({ body }: { body: unknown }) => (body as { warnings?: string[] }).warnings ?? [];

describe('a body in another encoding than UTF-8 is refused, and that is the reason given', () => {
  const text = JSON.stringify({ webhook: { url: URL, headers: { a: 'São Paulo' } } });
  test.each([
    ['Latin-1', Buffer.from(text, 'latin1'), 'application/json'],
    ['Latin-1 that says so', Buffer.from(text, 'latin1'), 'application/json; charset=iso-8859-1'],
    ['UTF-16', Buffer.from(text, 'utf16le'), 'application/json'],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text}`, 'utf16le'), 'application/json; charset=utf-16'],
    ['UTF-16, big-endian', Buffer.from(text, 'utf16le').swap16(), 'application/json'],
    ['UTF-16 of ASCII alone', Buffer.from('{"webhook":{"enabled":false}}', 'utf16le'), 'application/json'],
    ['half a character', Buffer.from(text).subarray(0, text.indexOf('ã') + 1), 'application/json'],
  ])('%s', async (_what, body, type) => {
    for (const path of ['/webhook/set/encoded', '/settings/set/encoded', '/instance/create']) {
      const { status, text: answer } = await send(path, body, type);
      expect([status, answer]).toEqual([400, expect.stringContaining('must be JSON in UTF-8')]);
    }
    expect((await harness.ask('GET', '/webhook/find/encoded')).body).toBeNull();
  });

  test('UTF-8 is taken with a mark, too', async () => {
    expect((await send('/webhook/set/encoded-well', Buffer.from(`\ufeff${text}`))).status).toBe(201);
  });
});

describe('a section that is no object', () => {
  test.each([
    ['webhook', URL],
    ['webhook', 5],
    ['webhook', ['x']],
    ['pusher', 'x'],
    ['websocket', true],
    ['rabbitmq', 'true'],
  ])('%s: %j is refused with what it must look like', async (section, value) => {
    for (const [path, body] of [
      [`/${section}/set/older`, { [section]: value }],
      ['/settings/set/older', { [section]: value }],
      ['/instance/create', { instanceName: 'older', [section]: value }],
    ] as const) {
      const { status, text } = await post(path, body);
      expect([path, status]).toEqual([path, 400]);
      const [[problem = ''] = []] = (JSON.parse(text) as { response: { message: string[][] } }).response
        .message;
      expect(problem).toContain(`${section}: must be an object, such as {"${section}": {`);
      expect(problem.includes('core API 1.x')).toBe(typeof value === 'string');
    }
  });

  test.each([
    [{ webhook: '' }, []],
    [{ webhook: false, websocket: '', pusher: null }, []],
    [{ reject_call: true, msg_call: 'x', groups_ignore: true, sync_full_history: false, number: '55' }, []],
    [{ chatwoot_account_id: 1, chatwoot_url: 'x', proxy_host: 'x', qrcode: true }, []],
    [{ webhook_by_events: true }, ['{"webhook": {"byEvents": …}}']],
    [{ events: ['CALL'] }, ['{"webhook": {"events": …}}']],
    [{ url: URL, webhook_base64: true }, ['{"webhook": {"url": …}}', '{"webhook": {"base64": …}}']],
    [
      { websocket_enabled: true, rabbitmqEvents: [] },
      ['{"websocket": {"enabled": …}}', '{"rabbitmq": {"events": …}}'],
    ],
  ])('what 1.x had beside it on create is the core API’s business, or named: %j', async (body, named) => {
    const instanceName = `older-${JSON.stringify(body).length}-${Object.keys(body).join('-')}`;
    const answer = await post('/instance/create', { instanceName, ...body });
    expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
    expect(warningsOf(answer)).toEqual(named.map((each) => expect.stringContaining(each)));
  });
});

describe('blanks at the ends', () => {
  test('of an instance’s name make another instance, and that is said', async () => {
    for (const [name, path] of [
      ['loja ', 'loja%20'],
      [' loja', '%20loja'],
      ['loja\u00a0', 'loja%C2%A0'],
    ] as const) {
      const answers = [
        await post(`/webhook/set/${path}`, { webhook: { url: URL } }),
        await post(`/settings/set/${path}`, { webhook: { url: URL } }),
        await post('/instance/create', { instanceName: `${name}${name}` }),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(201);
        expect(warningsOf(answer)).toContainEqual(
          expect.stringMatching(/^instance: ".*" has blanks at its ends/),
        );
      }
    }
    expect((await harness.ask('GET', '/webhook/find/loja')).body).toBeNull();
    const plain = await post('/webhook/set/loja', { webhook: { url: URL } });
    expect(warningsOf(plain).filter((text) => text.includes('blanks'))).toEqual([]);
  });

  test('of events and of an address mean nothing', async () => {
    const body = { webhook: { url: ` ${URL}\n`, events: [' MESSAGES_UPSERT', 'call '] } };
    const answer = await post('/webhook/set/blanks', body);
    expect(answer.body).toMatchObject({ url: URL, events: ['MESSAGES_UPSERT', 'call'] });
  });
});

test('a port that nothing can listen on is refused where an address is set', async () => {
  for (const address of ['https://example.com:0/x', 'https://example.com:00/'])
    expect(await post('/webhook/set/ports', { webhook: { url: address } })).toMatchObject({
      status: 400,
      text: expect.stringContaining('a port from 1 to 65535'),
    });
});

describe('what is refused is named, in words of ours', () => {
  test.each([
    ['half an object', '{"webhook":', 'body: must be JSON'],
    ['no JSON', 'hello', 'body: must be JSON'],
    ['a prototype', '{"__proto__":{}}', 'body: must be JSON'],
    [
      'a header that is none',
      '{"webhook":{"url":"https://example.com/","headers":{"a":"b","c:":"d"}}}',
      '"c:" must be',
    ],
    [
      'a header of two lines',
      '{"webhook":{"url":"https://example.com/","headers":{"a":"b\\nc"}}}',
      '"a" must be',
    ],
    ['null', '{"webhook":null}', 'webhook: must be an object, such as'],
  ])('%s', async (_what, body, said) => {
    const { status, text } = await send('/webhook/set/words', Buffer.from(body));
    expect([status, (JSON.parse(text) as { response: { message: string } }).response.message]).toEqual([
      400,
      expect.anything(),
    ]);
    expect(text.replaceAll('\\"', '"')).toContain(said);
    expect(text).not.toMatch(/content-type is set|Unexpected|position/);
  });

  test('what stands beside a section in its own route has no effect, and that is said', async () => {
    const answer = await post('/webhook/set/beside', { webhook: { url: URL }, webhook_by_events: true });
    expect(warningsOf(answer)).toContainEqual(
      'webhook: webhook_by_events stands beside it, where it has no effect; write it within',
    );
    expect(answer.body).toMatchObject({ webhookByEvents: false });
  });

  test('a document of another instance is set where the path says, and that is said', async () => {
    const answer = await post('/settings/set/one', { instanceName: 'other', webhook: { url: URL } });
    expect([answer.status, warningsOf(forKnownInstance(answer))]).toEqual([
      201,
      ['instanceName: is "other", and this was set for "one"'],
    ]);
  });
});
