import { DashboardClient } from '../support/clients/dashboard-client';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(60_000);

let gateway: GatewayHarness;
let operator: DashboardClient;
const port = (): number => gateway.gateway.gatewayPort;

beforeAll(async () => {
  gateway = await GatewayHarness.start();
  await gateway.ask('POST', '/settings/set/loja', { body: { websocket: {} } });
  operator = await DashboardClient.logIn(port());
});
afterAll(() => gateway.close());

describe('logging out', () => {
  // The browser keeps the cookie back from such a request, and would take its removal from the answer all the same.
  test.each([{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { origin: 'null' }])(
    'is nothing that a page of elsewhere can do: %j',
    async (headers) => {
      const stranger = new DashboardClient(port());
      const answer = await stranger.post('/dashboard/log-out', {}, headers);
      expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
    },
  );

  test('takes the cookie of a session away that is over', async () => {
    const answer = await new DashboardClient(port()).post('/dashboard/log-out', {});
    expect([answer.status, answer.headers['set-cookie']?.[0]]).toEqual([
      303,
      expect.stringContaining('Max-Age=0'),
    ]);
  });
});

test.each(['/dashboard?x=字', '/dashboard?x=\u0000', '/dashboard?x=é', '/queues/a b', '/dashboard/\u007f'])(
  'a way back that is no address leads to the first page: %j',
  async (next) => {
    const stranger = new DashboardClient(port());
    const logIn = await stranger.post('/dashboard/log-in', { key: API_KEY, next });
    expect([logIn.status, logIn.headers.location]).toEqual([303, '/dashboard']);
    const language = await stranger.get(
      `/dashboard/language?${new URLSearchParams({ to: 'es', back: next })}`,
    );
    expect([language.status, language.headers.location]).toEqual([303, '/dashboard']);
  },
);

test.each([
  ['empty', ''],
  ['a control character', '\u0000'],
  ['of two lines', 'a\nb'],
  ['too long', 'x'.repeat(256)],
  ['much too long', 'x'.repeat(10_000)],
])('what is no name of an instance has no page: %s', async (_what, instance) => {
  const { status } = await operator.get(`/dashboard/instances/one?${new URLSearchParams({ instance })}`);
  expect(status).toBe(404);
});

test('a page that answers a form asks for no newer self, as a form has none', async () => {
  for (const action of ['/dashboard/instances/loja/webhook', '/dashboard/destinations/nonsense/suspend']) {
    const csrf = await operator.csrf();
    for (const form of [{ csrf: 'wrong' }, { csrf, url: 'nonsense', enabled: 'yes', events: 'CALL' }]) {
      const { status, text } = await operator.post(action, form);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(text).toContain('<main id="main">');
      expect(text).not.toContain(`back=${encodeURIComponent(action)}`);
    }
  }
});

test.each(['.', '..'])('an instance named %s leads to no other route than is meant', async (name) => {
  const csrf = await operator.csrf();
  const form = { csrf, url: 'http://93.184.216.34/', enabled: 'yes', events: 'CALL' };
  const answer = await operator.post(`/dashboard/instances/${name}/webhook`, form);
  expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('a name of dots alone')]);
});
