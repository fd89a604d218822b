import {
  ask,
  errorShape,
  GatewayHarness,
  type HttpAnswer,
  type HttpQuestion,
} from '../support/harness/gateway-harness';
import { runProcess } from '../support/processes/command';
import { freePort } from '../support/processes/ports';

const URL = 'https://example.com/hook';
const UNAUTHORIZED = { status: 401, error: 'Unauthorized', response: { message: 'Unauthorized' } };

describe('without AUTHENTICATION_API_KEY', () => {
  test.each(['gateway', 'start'])('%s refuses to start, and says what to set', async (command) => {
    for (const key of [{}, { AUTHENTICATION_API_KEY: '' }, { AUTHENTICATION_API_KEY: '  ' }]) {
      const { code, stderr } = await runProcess([command], {
        ...key,
        GATEWAY_PORT: String(await freePort()),
      });
      expect([code, stderr]).toEqual([2, expect.stringContaining('AUTHENTICATION_API_KEY: must be set')]);
    }
  });
});

const KEY = 'the key: $pecial=';

describe('keys', () => {
  let harness: GatewayHarness;

  beforeAll(async () => {
    harness = await GatewayHarness.start({
      AUTHENTICATION_API_KEY: KEY,
      GATEWAY_TRUSTED_PROXIES: '127.0.0.1',
    });
    await create('loja', 'token-of-loja');
    await create('other', 'token-of-other');
  });
  afterAll(() => harness.close());

  const create = (instanceName: string, token: string) =>
    harness.ask('POST', '/instance/create', {
      key: KEY,
      body: { instanceName, token, webhook: { url: URL } },
    });
  let guests = 0;
  /** Asks from an address (of an IPv6 /64) of its own, which is not slowed down for what others guessed. */
  const askAsGuest = (method: string, path: string, question: HttpQuestion): Promise<HttpAnswer> => {
    const headers = { 'x-forwarded-for': `2001:db8:0:${(++guests).toString(16)}::1` };
    return harness.ask(method, path, { ...question, headers });
  };

  const PATHS: readonly (readonly [string, string])[] = [
    ...['webhook', 'pusher', 'websocket', 'rabbitmq', 'sqs'].flatMap((section) => [
      ['POST', `/${section}/set/loja`] as const,
      ['GET', `/${section}/find/loja`] as const,
      ['DELETE', `/${section}/set/loja`] as const,
    ]),
    ['POST', '/webhook/set/loja/n8n'],
    ['GET', '/webhook/find/loja/n8n'],
    ['DELETE', '/webhook/set/loja/n8n'],
    ['POST', '/webhook/test/loja'],
    ['POST', '/settings/set/loja'],
    ['GET', '/settings/find/loja'],
    ['DELETE', '/instance/delete/loja'],
    ['POST', '/instance/create'],
    ['GET', '/dead-letters'],
    ['GET', '/dead-letters/x'],
    ['POST', '/dead-letters/replay'],
    ['DELETE', '/dead-letters'],
    ['GET', '/audit'],
  ];

  test.each(PATHS)('%s %s: without a key nothing happens', async (method, path) => {
    const answer = await askAsGuest(method, path, { key: null, body: { url: URL } });
    expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
  });

  test.each(PATHS)('%s %s: the token of another instance does not open it', async (method, path) => {
    const answer = await askAsGuest(method, path, {
      key: 'token-of-other',
      body: { url: URL },
    });
    expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
    const kept = await harness.ask('GET', '/webhook/find/loja', { key: KEY });
    expect(kept.body).toMatchObject({ url: URL });
  });

  test.each([
    ['GET', '/dead-letters'],
    ['POST', '/dead-letters/replay'],
    ['DELETE', '/dead-letters'],
    ['GET', '/audit'],
    ['POST', '/instance/create'],
  ])('%s %s is the operator’s alone', async (method, path) => {
    const answer = await askAsGuest(method, path, {
      key: 'token-of-loja',
      body: { all: true },
    });
    expect([answer.status, answer.body]).toEqual([401, UNAUTHORIZED]);
  });

  test('the token of an instance opens its own paths, until it is replaced', async () => {
    const set = (key: string, body: object) => harness.ask('POST', '/settings/set/loja', { key, body });
    expect((await harness.ask('GET', '/webhook/find/loja', { key: 'token-of-loja' })).status).toBe(200);
    expect((await set('token-of-loja', { token: 'a-newer-token' })).status).toBe(201);
    expect((await harness.ask('GET', '/webhook/find/loja', { key: 'token-of-loja' })).status).toBe(401);
    expect((await set('a-newer-token', { token: 'token-of-loja' })).status).toBe(201);
  });

  test('an unknown instance and a wrong key look the same', async () => {
    const known = await harness.ask('GET', '/webhook/find/loja', { key: 'wrong' });
    const unknown = await harness.ask('GET', '/webhook/find/unknown', { key: 'wrong' });
    expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
  });

  test.each(['/healthz', '/readyz', '/metrics'])('%s needs no key', async (path) => {
    expect((await harness.ask('GET', path, { key: null })).status).toBe(200);
  });

  test('who guesses is told to come later; the right key is answered from the same address, after a restart as well (finding 5.1)', async () => {
    await harness.replaceProcess();
    const guesses = Array.from({ length: 60 }, (_, index) =>
      harness.ask('GET', '/webhook/find/loja', { key: `guess-${index}` }),
    );
    const refused = await Promise.any(
      guesses.map(async (guess) => {
        const answer = await guess;
        if (answer.status !== 429) throw new Error('not refused');
        return answer;
      }),
    );
    expect(refused.body).toEqual(errorShape(429, 'Too Many Requests'));
    expect(refused.headers['retry-after']).toBe('5');
    // Both keys were never given to this process before.
    for (let index = 0; index < 10; index++) {
      expect((await harness.ask('GET', '/audit', { key: KEY })).status).toBe(200);
      expect((await harness.ask('GET', '/webhook/find/loja', { key: 'token-of-loja' })).status).toBe(200);
    }
    const all = await Promise.all(guesses);
    expect(all.every(({ status }) => status === 401 || status === 429)).toBe(true);
  });

  test('guesses from all over an IPv6 /64 share their turns (finding 5.1)', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        ask(harness.gateway.gatewayPort, 'GET', '/audit', {
          key: `guess-${index}`,
          headers: { 'x-forwarded-for': `2001:db8::${index.toString(16)}:1` },
        }),
      ),
    );
    // Ten at once and four a second for as long as it takes; not two hundred.
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThan(100);
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThan(100);
  });
});
