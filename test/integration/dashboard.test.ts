import { FlowStore } from '../../src/ledger/flow-store';
import { DashboardClient } from '../support/clients/dashboard-client';
import { API_KEY, ask, GatewayHarness, type HttpAnswer } from '../support/harness/gateway-harness';
import { HealthHarness } from '../support/harness/health-harness';
import { FAILED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';

jest.setTimeout(60_000);

const READ_KEY = 'a-key-that-only-reads';
const TOKEN = 'token-of-the-shop-1234';
const EVIL = '<script>alert(1)</script>';
const IN_LINE = {
  decision: { kind: 'in-line' },
  reason: 'circuit-open',
  attemptsMade: 0,
  history: [],
} as const;

let store: StoreHarness;
let gateway: GatewayHarness;
let worker: HealthHarness;
let operator: DashboardClient;
let reader: DashboardClient;
let tenant: DashboardClient;
const failing = new FakeDestination('webhook:instance/loja');
const evil = new FakeDestination(`webhook:instance/${encodeURIComponent(EVIL)}`);
const failingPath = `/dashboard/destinations/${encodeURIComponent(failing.id)}`;
const port = (): number => gateway.gateway.gatewayPort;

beforeAll(async () => {
  store = await StoreHarness.open();
  gateway = await GatewayHarness.start({
    REDIS_PREFIX_KEY: store.prefix,
    DASHBOARD_READ_KEY: READ_KEY,
    CORS_ORIGIN: 'https://panel.example.com',
    CORS_CREDENTIALS: 'true',
  });
  worker = new HealthHarness(store.store);
  worker.board.start();
  for (const delivery of deliveries(failing, 3)) await store.park(delivery, IN_LINE);
  for (const delivery of deliveries(evil, 2, 10)) await store.park(delivery, IN_LINE);
  await worker.fail(failing.id, FAILED);
  await worker.log.count(1);
  await new FlowStore(store.store).report(5, [{ queue: 'relay', messages: 7, consumers: 1 }]);
  await gateway.ask('POST', '/settings/set/loja', {
    body: { token: TOKEN, webhook: { enabled: true, url: 'http://93.184.216.34/hook' } },
  });
  [operator, reader, tenant] = await Promise.all([
    DashboardClient.logIn(port()),
    DashboardClient.logIn(port(), READ_KEY),
    DashboardClient.logIn(port(), TOKEN, 'loja'),
  ]);
});
afterAll(async () => {
  await worker.board.stop();
  await gateway.close();
  await store.close();
});

describe('the root of the gateway', () => {
  test('answers clients of the core API as before, and leads browsers to the dashboard', async () => {
    for (const accept of [undefined, '*/*', 'application/json, text/plain, */*']) {
      const headers = accept === undefined ? {} : { accept };
      const { status, body } = await ask(port(), 'GET', '/', { key: null, headers });
      expect(status).toBe(200);
      expect(body).toMatchObject({ status: 200, clientName: 'evolution-relay' });
    }
    const page = await operator.get('/');
    expect([page.status, page.headers.location]).toEqual([302, '/dashboard']);
    expect(page.headers.vary).toContain('accept');
  });
});

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

describe('pages', () => {
  test('may be neither framed nor kept, and run nothing but their own scripts', async () => {
    for (const path of [
      '/dashboard',
      '/dashboard/destinations',
      '/dashboard/queues',
      failingPath,
      '/dashboard/log-in',
    ]) {
      const { status, headers, text } = await operator.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining(
          "default-src 'none'; script-src 'self'; style-src 'self'",
        ),
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(text).not.toMatch(/<script(?![^>]*src="\/dashboard)|<style|style="|https?:\/\/(?!93\.184)/);
    }
  });

  test('say in one sentence what is worst: who takes nothing, why, and how many wait', async () => {
    const { text } = await operator.get('/dashboard', { 'accept-language': 'en' });
    expect(text).toMatch(
      /class="sentence bad"><a [^>]+>loja · webhook<\/a> has taken nothing since [^:]+.*: it does not answer in time \(TIMEOUT\)/,
    );
    expect(text).toContain('3 wait; the next attempt is at');
    const portuguese = await operator.get('/dashboard', { 'accept-language': 'pt;q=0.9,en;q=0.1' });
    expect(portuguese.text).toContain('<html lang="pt-BR">');
    expect(portuguese.text).toContain('não recebe nada desde');
  });

  test('show an instance with a name of HTML as text', async () => {
    for (const path of [
      '/dashboard',
      '/dashboard/destinations',
      `/dashboard/destinations?search=${encodeURIComponent(EVIL)}`,
    ]) {
      const { text } = await operator.get(path);
      expect(text).not.toContain('<script>');
      expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    }
  });

  test('answer 304 for their main part while nothing changed', async () => {
    const part = { 'x-relay-part': 'main' };
    const first = await operator.get('/dashboard/destinations', part);
    expect(first.text).not.toContain('<html');
    const again = await operator.get('/dashboard/destinations', {
      ...part,
      'if-none-match': String(first.headers.etag),
    });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await new DashboardClient(port()).get('/dashboard', part)).status).toBe(401);
  });

  test('share what several viewers see, and neither their forms nor what another one may not see', async () => {
    const [first, second] = await Promise.all([DashboardClient.logIn(port()), DashboardClient.logIn(port())]);
    expect(await first.csrf()).not.toBe(await second.csrf());
    for (const path of [
      '/dashboard',
      '/dashboard/destinations',
      '/dashboard/instances',
      '/dashboard/queues',
    ]) {
      const [one, other] = await Promise.all([first.get(path), second.get(path)]);
      expect(one.text).toContain(`value="${await first.csrf()}"`);
      expect(other.text).not.toContain(await first.csrf());
    }
    const part = { 'x-relay-part': 'main', 'accept-language': 'en' };
    for (const path of ['/dashboard', '/dashboard/destinations']) {
      const [whole, own] = await Promise.all([operator.get(path, part), tenant.get(path, part)]);
      expect([path, whole.text.includes('alert(1)'), own.text.includes('alert(1)')]).toEqual([
        path,
        true,
        false,
      ]);
    }
  });

  test('take nonsense in their address', async () => {
    const queries = [
      `search=${'x'.repeat(10_000)}`,
      'offset=-1',
      'offset=99999999999',
      'state=odd',
      'state=a&state=b',
      '__proto__=1',
    ];
    for (const query of queries)
      expect((await operator.get(`/dashboard/destinations?${query}`)).status).toBe(200);
    for (const id of [
      'nonsense',
      '%00',
      encodeURIComponent('webhook:instance/%E0%A4%A'),
      encodeURIComponent(EVIL),
    ])
      expect([id, (await operator.get(`/dashboard/destinations/${id}`)).status]).toEqual([id, 404]);
  });

  test('their files are kept for good under a name with a fingerprint', async () => {
    const { text } = await operator.get('/dashboard');
    const files = [...text.matchAll(/(?:src|href)="(\/dashboard\/assets\/[^"]+)"/g)].map(
      ([, file = '']) => file,
    );
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) {
      const { status, headers } = await operator.get(file);
      expect([file, status, headers['cache-control']]).toEqual([
        file,
        200,
        'public, max-age=31536000, immutable',
      ]);
    }
  });

  test('a page of a neighbouring name, which CORS lets read the API, reads no page with its visitor’s cookie', async () => {
    const headers = {
      origin: 'https://panel.example.com',
      'sec-fetch-site': 'same-site',
      'sec-fetch-mode': 'cors',
    };
    expect((await operator.get('/dashboard', headers)).status).toBe(303);
  });
});

describe('a key that only reads', () => {
  test('sees everything and changes nothing', async () => {
    const { text } = await reader.get(failingPath);
    expect(text).toContain('TIMEOUT');
    expect(text).not.toContain('/suspend');
    const csrf = await reader.csrf();
    expect((await reader.post(`${failingPath}/suspend`, { csrf })).status).toBe(403);
    expect(await stateOf(failing.id)).toBe('failing');
  });

  test('opens no route of the API', async () => {
    expect((await gateway.ask('GET', '/destinations', { key: READ_KEY })).status).toBe(401);
  });
});

describe('a token of an instance', () => {
  test('sees that instance alone', async () => {
    const list = await tenant.get('/dashboard/destinations');
    expect(list.text).toContain('loja');
    expect(list.text).not.toContain('alert(1)');
    expect((await tenant.get('/dashboard')).text).not.toContain('alert(1)');
    expect((await tenant.get(`/dashboard/destinations/${encodeURIComponent(evil.id)}`)).status).toBe(404);
    expect((await tenant.get('/dashboard/queues')).status).toBe(403);
    expect((await tenant.get('/dashboard/history')).status).toBe(403);
  });

  test('changes that instance alone', async () => {
    const csrf = await tenant.csrf();
    const other = `/dashboard/destinations/${encodeURIComponent(evil.id)}`;
    expect((await tenant.post(`${other}/suspend`, { csrf })).status).toBe(404);
    expect((await tenant.post(`${failingPath}/replay`, { csrf })).status).toBe(403);
    expect((await tenant.post(`${failingPath}/suspend`, { csrf })).status).toBe(303);
    expect(await stateOf(failing.id)).toBe('suspended');
    expect((await tenant.post(`${failingPath}/resume`, { csrf })).status).toBe(303);
  });
});

describe('forms', () => {
  test('are refused without the token of their session, and from other pages', async () => {
    const csrf = await operator.csrf();
    for (const given of ['', 'wrong', await tenant.csrf()])
      expect((await operator.post(`${failingPath}/suspend`, { csrf: given })).status).toBe(403);
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'https://panel.example.com' },
      { 'sec-fetch-site': 'cross-site' },
    ])
      expect(await outcomeOf(operator.post(`${failingPath}/suspend`, { csrf }, headers))).toBe('not done');
    expect((await operator.post('/dashboard/log-out', { csrf: 'wrong' })).status).toBe(403);
    expect(await stateOf(failing.id)).not.toBe('suspended');
  });

  test('suspend and resume, each with a line in the log that names the kind of key', async () => {
    const csrf = await operator.csrf();
    const done = await operator.post(`${failingPath}/suspend`, { csrf }, { origin: gateway.url });
    expect([done.status, done.headers.location]).toEqual([303, `${failingPath}?done=suspend`]);
    expect((await operator.get(`${failingPath}?done=suspend`)).text).toContain('nothing is attempted');
    await operator.post(`${failingPath}/resume`, { csrf });
    const actions = gateway.gateway.log
      .split('\n')
      .filter((line) => line.includes('dashboard: action'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(actions).toContainEqual(
      expect.objectContaining({ by: 'operator', what: `${failingPath}/suspend`, ok: true }),
    );
    expect(actions).toContainEqual(expect.objectContaining({ by: 'instance', instance: 'loja' }));
  });

  test('change an address, and say why one is refused', async () => {
    const csrf = await operator.csrf();
    const refused = await operator.post(`${failingPath}/address`, { csrf, address: 'nonsense <b>' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('role="alert"');
    const done = await operator.post(`${failingPath}/address`, {
      csrf,
      address: 'http://93.184.216.35/other',
    });
    expect(done.status).toBeLessThan(400);
    const { body } = await gateway.ask('GET', '/webhook/find/loja');
    expect(body).toMatchObject({ url: 'http://93.184.216.35/other', enabled: true });
    expect((await operator.get(failingPath)).text).toContain('value="http://93.184.216.35/other"');
  });

  test('preview, begin and cancel a replay', async () => {
    const csrf = await operator.csrf();
    const preview = await operator.post(`${failingPath}/replay`, {
      csrf,
      preview: 'yes',
      period: '7d',
      which: 'all',
    });
    expect([preview.status, preview.text.includes('id="preview"')]).toEqual([200, true]);
    const begun = await operator.post(`${failingPath}/replay`, {
      csrf,
      which: 'delivered',
      perSecond: 'nonsense',
    });
    expect(begun.headers.location).toBe(`${failingPath}?done=replay`);
    const { body } = await gateway.ask('GET', '/replays');
    const [replay] = (body as { replays: { id: string; filter: object; perSecond: number }[] }).replays;
    expect(replay).toMatchObject({
      filter: { destination: failing.id, outcome: 'delivered' },
      perSecond: 100,
    });
    const cancelled = await operator.post(`${failingPath}/cancel-replay`, { csrf, replay: replay?.id ?? '' });
    expect(cancelled.status).toBe(303);
  });

  test('send a test event, and say what came back', async () => {
    const csrf = await operator.csrf();
    const tested = await operator.post(`${failingPath}/test`, { csrf });
    expect([tested.status, tested.text.includes('id="test-result"')]).toEqual([200, true]);
  });
});

describe('the job board', () => {
  test('is for operators and readers, and changes nothing', async () => {
    expect((await new DashboardClient(port()).get('/queues')).headers.location).toContain(
      '/dashboard/log-in',
    );
    expect((await tenant.get('/queues')).status).toBe(403);
    expect((await tenant.get('/queues/api/queues')).status).toBe(403);
    for (const client of [operator, reader]) {
      const page = await client.get('/queues');
      expect([page.status, page.text.includes('id="root"')]).toEqual([200, true]);
      expect(page.text).not.toContain('https://');
      const { status, body } = await client.get('/queues/api/queues?activeQueue=retry&status=latest');
      expect(status).toBe(200);
      const { queues } = body as {
        queues: { name: string; readOnlyMode: boolean; jobs: { data: object }[] }[];
      };
      expect(queues).toMatchObject([{ name: 'retry', readOnlyMode: true }]);
      for (const { data } of queues[0]?.jobs ?? []) expect(data).not.toHaveProperty('b');
    }
    for (const path of ['..%2F..%2Fpackage.json', '%2E%2E/index.ejs', 'nothing.js'])
      expect((await operator.get(`/queues/static/${path}`)).status).toBe(404);
    const before = await stateOf(failing.id);
    const { cookie } = operator;
    for (const path of ['clean/delayed', 'pause', 'empty', 'retry/failed', 'promote', 'obliterate'])
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const { status } = await ask(port(), method, `/queues/api/queues/retry/${path}`, {
          key: null,
          headers: { cookie },
        });
        expect([path, method, status]).toEqual([path, method, 404]);
      }
    expect(await stateOf(failing.id)).toBe(before);
  });
});

test('a session is good at every gateway of the same key, and at none of another one', async () => {
  const second = await gateway.startProcess();
  expect((await new DashboardClient(second.gatewayPort, operator.cookie).get('/dashboard')).status).toBe(200);
  const other = await gateway.startProcess({ AUTHENTICATION_API_KEY: 'another-operators-key' });
  expect((await new DashboardClient(other.gatewayPort, operator.cookie).get('/dashboard')).status).toBe(303);
  const [, value = ''] = operator.cookie.split('=');
  const fresh = await DashboardClient.logIn(other.gatewayPort, 'another-operators-key');
  const forged = `${fresh.cookie.split('=')[0]}=${value}`;
  expect((await new DashboardClient(other.gatewayPort, forged).get('/dashboard')).status).toBe(303);
});

/** A page of elsewhere has no session, or its form is not ours. */
async function outcomeOf(asked: Promise<HttpAnswer>): Promise<'done' | 'not done'> {
  const { status, headers } = await asked;
  return status === 403 || headers.location?.startsWith('/dashboard/log-in') ? 'not done' : 'done';
}

async function stateOf(id: string): Promise<string> {
  const { body } = await gateway.ask('GET', `/destinations/${encodeURIComponent(id)}`);
  return (body as { state: string }).state;
}
