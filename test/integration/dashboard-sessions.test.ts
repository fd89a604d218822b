import { DashboardClient } from '../support/clients/dashboard-client';
import { startDashboard, TOKEN } from '../support/harness/dashboard-harness';
import { API_KEY, type GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(60_000);

let dashboard: Awaited<ReturnType<typeof startDashboard>>;
let gateway: GatewayHarness;
let operator: DashboardClient;
const port = (): number => gateway.gateway.gatewayPort;

beforeAll(async () => {
  dashboard = await startDashboard();
  ({ gateway, operator } = dashboard);
});
afterAll(() => dashboard.close());

describe('logging in', () => {
  test('sets one cookie that scripts do not see and other pages do not send', async () => {
    const answer = await new DashboardClient(port()).post('/dashboard/log-in', { key: API_KEY });
    const [cookie = ''] = answer.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(
      /^relay_session_\w+=[\w-]+\.[\w-]+; Path=\/; Max-Age=3600; HttpOnly; SameSite=Strict$/,
    );
    expect(cookie).not.toContain(API_KEY);
    expect(answer.headers.location).toBe('/dashboard');
  });

  test('goes on where somebody wanted to go, and never to another host', async () => {
    const stranger = new DashboardClient(port());
    const asked = await stranger.get('/dashboard/destinations?state=failing');
    expect(asked.status).toBe(303);
    expect(asked.headers.location).toBe(
      `/dashboard/log-in?${new URLSearchParams({ next: '/dashboard/destinations?state=failing' })}`,
    );
    const next = '/dashboard/destinations?state=failing';
    expect((await stranger.post('/dashboard/log-in', { key: API_KEY, next })).headers.location).toBe(next);
    for (const elsewhere of [
      '//evil.example',
      'https://evil.example',
      '/dashboard/\\evil',
      '/dashboardx',
      '/settings',
    ])
      expect(
        (await stranger.post('/dashboard/log-in', { key: API_KEY, next: elsewhere })).headers.location,
      ).toBe('/dashboard');
  });

  test('refuses wrong keys, tokens of other instances, and pages of other hosts', async () => {
    const stranger = new DashboardClient(port());
    const wrong = [{ key: 'wrong' }, { key: '' }, { key: TOKEN }, { key: TOKEN, instance: 'other' }];
    for (const fields of wrong) {
      const answer = await stranger.post('/dashboard/log-in', fields);
      expect([answer.status, answer.headers['set-cookie']]).toEqual([401, undefined]);
    }
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect((await stranger.post('/dashboard/log-in', { key: API_KEY }, headers)).status).toBe(403);
  });

  test('slows wrong keys down, and never the right one', async () => {
    const from = { 'x-forwarded-for': '203.0.113.9' };
    const stranger = new DashboardClient(port());
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => stranger.post('/dashboard/log-in', { key: 'guess' }, from)),
    );
    expect(answers.some(({ status }) => status === 429)).toBe(true);
    expect((await stranger.post('/dashboard/log-in', { key: API_KEY }, from)).status).toBe(303);
  });

  test('a forged, changed or foreign cookie opens nothing', async () => {
    const [name = '', value = ''] = operator.cookie.split('=');
    const [payload = '', mac = ''] = value.split('.');
    const text = Buffer.from(payload, 'base64url').toString().replace('operator', 'reader');
    const changed = Buffer.from(text).toString('base64url');
    for (const forged of [
      `${changed}.${mac}`,
      `${payload}.`,
      `.${mac}`,
      payload,
      'a'.repeat(9000),
      `${payload}.${mac}.x`,
    ]) {
      const answer = await new DashboardClient(port(), `${name}=${forged}`).get('/dashboard');
      expect(answer.status).toBe(303);
    }
  });

  test('a session of an instance ends with its token', async () => {
    await gateway.ask('POST', '/settings/set/passing', { body: { token: 'first-token-123' } });
    const passing = await DashboardClient.logIn(port(), 'first-token-123', 'passing');
    expect((await passing.get('/dashboard')).status).toBe(200);
    await gateway.ask('POST', '/settings/set/passing', { body: { token: 'second-token-123' } });
    expect((await passing.get('/dashboard')).status).toBe(303);
  });

  test('logging out takes the cookie away', async () => {
    const passing = await DashboardClient.logIn(port());
    const answer = await passing.post('/dashboard/log-out', { csrf: await passing.csrf() });
    expect(answer.headers.location).toBe('/dashboard/log-in?over=1');
    expect(answer.headers['set-cookie']?.[0]).toContain('Max-Age=0');
  });

  test('logging out ends the session for copies of its cookie, and no other session', async () => {
    const passing = await DashboardClient.logIn(port());
    const copy = new DashboardClient(port(), passing.cookie);
    expect((await copy.get('/dashboard')).status).toBe(200);
    await passing.post('/dashboard/log-out', { csrf: await passing.csrf() });
    const refused = await copy.get('/dashboard');
    expect([refused.status, refused.headers.location]).toEqual([303, '/dashboard/log-in?next=%2Fdashboard']);
    expect((await operator.get('/dashboard')).status).toBe(200);
  });
});

test('a session is good at every gateway of the same key, and at none of another one', async () => {
  // Of its own, as whatever is asked goes to the gateway that was started last.
  const { gateway: first, operator: person, close } = await startDashboard();
  const second = await first.startProcess();
  expect((await new DashboardClient(second.gatewayPort, person.cookie).get('/dashboard')).status).toBe(200);
  const other = await first.startProcess({ AUTHENTICATION_API_KEY: 'another-operators-key' });
  expect((await new DashboardClient(other.gatewayPort, person.cookie).get('/dashboard')).status).toBe(303);
  const [, value = ''] = person.cookie.split('=');
  const fresh = await DashboardClient.logIn(other.gatewayPort, 'another-operators-key');
  const forged = `${fresh.cookie.split('=')[0]}=${value}`;
  expect((await new DashboardClient(other.gatewayPort, forged).get('/dashboard')).status).toBe(303);
  await close();
});
