import { MODULES } from '../../../src/modules';
import type { Environment } from '../../support/processes/relay';
import { partsOf } from './parts';

const load = (env: Environment) => MODULES.loadConfig(__dirname, env);

test('the gateway’s defaults: no key, nobody trusted, every origin, WebSockets off and nobody let in without a key', () => {
  const { config } = load({});
  expect(config.gateway).toEqual({
    host: '0.0.0.0',
    port: 8090,
    apiKey: '',
    readKey: '',
    trustedProxies: [],
    docs: true,
    cors: { origins: ['*'], methods: ['POST', 'GET', 'PUT', 'DELETE'], credentials: false },
  });
  expect(partsOf(config).webSocket).toMatchObject({
    enabled: false,
    global: undefined,
    allowedHosts: [],
  });
});

test('PORT of hosting platforms is taken where GATEWAY_PORT is not set', () => {
  expect(load({ PORT: '5000' }).config.gateway.port).toBe(5000);
  expect(load({ PORT: '5000', GATEWAY_PORT: '6000' }).config.gateway.port).toBe(6000);
});

test.each(['BQYHJGJHJ', '429683C4C977415CAAFCCE10F7D57E11'])(
  'the key %s of the published examples is warned of',
  (key) => {
    expect(load({ AUTHENTICATION_API_KEY: key }).warnings).toContainEqual(
      expect.stringContaining('AUTHENTICATION_API_KEY'),
    );
    expect(load({ AUTHENTICATION_API_KEY: 'one-of-our-own-keys' }).warnings).not.toContainEqual(
      expect.stringContaining('AUTHENTICATION_API_KEY'),
    );
  },
);

test.each(['a', '1234567', '12345678', 'a'.repeat(40)])(
  'the weak key %s is warned of (finding 5.5)',
  (key) => {
    const { warnings } = load({ AUTHENTICATION_API_KEY: key });
    expect(warnings).toContainEqual(expect.stringMatching(/^AUTHENTICATION_API_KEY .*openssl rand/));
  },
);

test.each(['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '10.0.0.0/0, ::/128'])(
  '%s may be trusted',
  (list) => {
    expect(load({ GATEWAY_TRUSTED_PROXIES: list }).config.gateway.trustedProxies).toEqual(list.split(', '));
  },
);

test.each([
  'proxy',
  '10.0.0.0/33',
  '10.0.0',
  '10.0.0.0/',
  '::/129',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  '1.2.3.4,x',
])('%s may not, and the variable is named', (list) => {
  expect(() => load({ GATEWAY_TRUSTED_PROXIES: list })).toThrow(/GATEWAY_TRUSTED_PROXIES: must be a list/);
});

test('the global stream has the events of its switches, where it is on', () => {
  const on = { WEBSOCKET_ENABLED: 'true', WEBSOCKET_GLOBAL_EVENTS: 'true' };
  expect(partsOf(load(on).config).webSocket.global?.events).toBe('all');
  expect(partsOf(load({ ...on, WEBSOCKET_EVENTS_CALL: 'true' }).config).webSocket.global?.events).toEqual(
    new Set(['CALL']),
  );
  expect(
    partsOf(load({ WEBSOCKET_ENABLED: 'true', WEBSOCKET_EVENTS_CALL: 'true' }).config).webSocket.global,
  ).toBeUndefined();
});

test.each([
  ['WEBSOCKET_BUFFER_BYTES', '10'],
  ['WEBSOCKET_PING_SECONDS', '0'],
  ['WEBSOCKET_RESUME_SECONDS', '0'],
  ['WEBSOCKET_RESUME_EVENTS', 'many'],
  ['WEBSOCKET_MAX_CLIENTS', '-1'],
  ['GATEWAY_PORT', '70000'],
])('%s=%s is refused by name', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(new RegExp(name));
});

test('a key for looking must be another one than the key that opens everything, and a short one is warned of', () => {
  const key = 'a-long-and-secret-key';
  expect(() => load({ AUTHENTICATION_API_KEY: key, DASHBOARD_READ_KEY: key })).toThrow('DASHBOARD_READ_KEY');
  expect(load({ AUTHENTICATION_API_KEY: key, DASHBOARD_READ_KEY: 'short' }).warnings.join()).toContain(
    'DASHBOARD_READ_KEY has only 5 characters',
  );
});

test.each([
  'example.com',
  'https://example.com/',
  'https://Example.com',
  'https://example.com/app',
  'https://example.com:443',
])('the origin %s, which no browser sends, is warned of', (origin) => {
  const { warnings } = load({ CORS_ORIGIN: `https://good.example,${origin}` });
  expect(warnings.filter((each) => each.startsWith('CORS_ORIGIN'))).toEqual([
    expect.stringContaining(JSON.stringify(origin)),
  ]);
  expect(
    load({ CORS_ORIGIN: 'https://good.example:8443,http://localhost:3000,capacitor://localhost' }).warnings,
  ).not.toContainEqual(expect.stringContaining('CORS_ORIGIN'));
});

test.each(['localhost', 'example.com', '10.0.0.0/8', '127.0.0.1:8090'])(
  'the host %s, which is no address of a client, is warned of',
  (host) => {
    const { warnings } = load({ WEBSOCKET_ALLOWED_HOSTS: `127.0.0.1,${host}` });
    expect(warnings.filter((each) => each.startsWith('WEBSOCKET_ALLOWED_HOSTS'))).toEqual([
      expect.stringContaining(JSON.stringify(host)),
    ]);
    expect(load({ WEBSOCKET_ALLOWED_HOSTS: '127.0.0.1,::1,::ffff:127.0.0.1,*' }).warnings).not.toContainEqual(
      expect.stringContaining('WEBSOCKET_ALLOWED_HOSTS'),
    );
  },
);

test.each(['sehr geheimer Schlüssel', 'a-long-key-with-\u200b-in-it', 'a-long-key-with-€'])(
  'a key that not every client can send (%s) is warned of',
  (key) => {
    for (const name of ['AUTHENTICATION_API_KEY', 'DASHBOARD_READ_KEY']) {
      expect(load({ [name]: key }).warnings).toContainEqual(expect.stringMatching(`^${name} .*ASCII`));
      expect(load({ [name]: 'one of our own keys' }).warnings).not.toContainEqual(
        expect.stringContaining('ASCII'),
      );
    }
  },
);
