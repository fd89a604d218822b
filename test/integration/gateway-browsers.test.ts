import { IoClient, PlainClient } from '../support/clients/websockets';
import { ask, GatewayHarness } from '../support/harness/gateway-harness';
import { HttpTarget, respond } from '../support/servers/http-target';

const EVIL = 'https://evil.example';
const PANEL = 'https://panel.example.com';
const instance = 'loja';

let harness: GatewayHarness | undefined;
afterEach(async () => {
  await harness?.close();
  harness = undefined;
});

const start = async (env: Readonly<Record<string, string>>): Promise<GatewayHarness> => {
  harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true', ...env });
  return harness;
};

test('CORS_CREDENTIALS=true with every origin: starts, warns, and lets no page use cookies (finding 5.2)', async () => {
  const { gateway } = await start({ CORS_CREDENTIALS: 'true' });
  expect(gateway.log).toContain('CORS_CREDENTIALS has no effect');
  const preflight = { origin: EVIL, 'access-control-request-method': 'POST' };
  const answers = [
    await ask(gateway.gatewayPort, 'OPTIONS', '/pusher/auth', { key: null, headers: preflight }),
    await ask(gateway.gatewayPort, 'POST', '/pusher/auth', { key: null, headers: { origin: EVIL } }),
    await ask(gateway.gatewayPort, 'GET', '/nowhere', { key: null, headers: { origin: EVIL } }),
    await ask(gateway.gatewayPort, 'GET', '/socket.io/?EIO=4&transport=polling', {
      key: null,
      headers: { origin: EVIL },
    }),
  ];
  for (const { headers } of answers) {
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  }
});

test('with listed origins those alone may use cookies, on every path (finding 5.2)', async () => {
  const { gateway } = await start({ CORS_CREDENTIALS: 'true', CORS_ORIGIN: PANEL });
  for (const path of ['/pusher/auth', '/socket.io/?EIO=4&transport=polling']) {
    const own = await ask(gateway.gatewayPort, 'GET', path, { key: null, headers: { origin: PANEL } });
    expect(own.headers).toMatchObject({
      'access-control-allow-origin': PANEL,
      'access-control-allow-credentials': 'true',
    });
    const other = await ask(gateway.gatewayPort, 'GET', path, { key: null, headers: { origin: EVIL } });
    expect(other.headers['access-control-allow-origin']).not.toBe(EVIL);
  }
});

test('/pusher/auth hands cookies to the hook for listed pages and the gateway’s own alone (finding 5.2)', async () => {
  const hook = await HttpTarget.start();
  try {
    hook.answer = respond(403);
    const { gateway } = await start({
      CORS_ORIGIN: PANEL,
      PUSHER_GLOBAL_APP_ID: '1',
      PUSHER_GLOBAL_KEY: 'k',
      PUSHER_GLOBAL_SECRET: 's',
      PUSHER_GLOBAL_CLUSTER: 'us2',
      PUSHER_CHANNEL_PREFIX: 'private-',
      PUSHER_AUTH_HOOK_URL: `${hook.url}/hook`,
    });
    const cookieFor = async (origin: string | undefined): Promise<string | undefined> => {
      const headers = { cookie: 'session=1', ...(origin === undefined ? {} : { origin }) };
      const body = { socket_id: '1.1', channel_name: 'private-loja' };
      await ask(gateway.gatewayPort, 'POST', '/pusher/auth', { key: null, headers, body });
      return hook.received.all.at(-1)?.headers.cookie;
    };
    expect(await cookieFor(PANEL)).toBe('session=1');
    expect(await cookieFor(`http://127.0.0.1:${gateway.gatewayPort}`)).toBe('session=1');
    expect(await cookieFor(undefined)).toBe('session=1');
    expect(await cookieFor(EVIL)).toBeUndefined();
    expect(await cookieFor('null')).toBeUndefined();
    expect(hook.received.all.length).toBe(5);
  } finally {
    await hook.stop();
  }
});

test('an address that needs no key lets no page of elsewhere in, nor one that made its name lead here (finding 5.2)', async () => {
  const { gateway } = await start({ WEBSOCKET_ALLOWED_HOSTS: '127.0.0.1', CORS_ORIGIN: `*,${PANEL}` });
  const port = gateway.gatewayPort;
  const refused = [
    { origin: EVIL },
    { origin: 'null' },
    { origin: 'http://evil.example', host: 'evil.example' },
    { host: 'evil.example:8090' },
  ];
  for (const headers of refused) {
    expect(await PlainClient.refused(port, { instance }, headers)).toMatchObject({ status: 401 });
  }
  for (const headers of [{}, { origin: PANEL }, { origin: `http://127.0.0.1:${port}` }]) {
    const client = await PlainClient.open(port, { instance }, headers);
    await client.close();
  }
  const client = await IoClient.open(port, `/${instance}`, {});
  await client.close();
});

test('answers may be neither guessed at, framed nor kept', async () => {
  const { gateway } = await start({});
  for (const path of ['/docs/', '/nowhere', '/settings/find/loja', '/healthz']) {
    const { headers } = await ask(gateway.gatewayPort, 'GET', path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
    });
  }
  const { headers } = await ask(gateway.gatewayPort, 'GET', '/settings/find/loja');
  expect(headers['cache-control']).toBe('no-store');
});
