import { DashboardClient } from '../support/clients/dashboard-client';
import {
  EVIL,
  evil,
  failing,
  failingPath,
  READ_KEY,
  startDashboard,
} from '../support/harness/dashboard-harness';
import { ask, type GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(60_000);

let dashboard: Awaited<ReturnType<typeof startDashboard>>;
let gateway: GatewayHarness;
let operator: DashboardClient;
let reader: DashboardClient;
let tenant: DashboardClient;
const port = (): number => gateway.gateway.gatewayPort;

beforeAll(async () => {
  dashboard = await startDashboard();
  ({ gateway, operator, reader, tenant } = dashboard);
});
afterAll(() => dashboard.close());

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

describe('pages', () => {
  test('that there are not say so to whoever is logged in, with the menu that leads on', async () => {
    for (const client of [operator, reader, tenant]) {
      const { status, text } = await client.get('/dashboard/no-such-page');
      expect(status).toBe(404);
      expect(text).toContain('There is no such page.');
      expect(text).toContain('href="/dashboard/destinations"');
    }
    const stranger = await new DashboardClient(port()).get('/dashboard/no-such-page');
    expect([stranger.status, stranger.headers.location]).toEqual([
      303,
      '/dashboard/log-in?next=%2Fdashboard%2Fno-such-page',
    ]);
  });

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
    expect(await dashboard.stateOf(failing.id)).toBe('failing');
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
    // Of its own: a destination that was suspended does not fail any more.
    const { tenant, stateOf, close } = await startDashboard();
    const csrf = await tenant.csrf();
    const other = `/dashboard/destinations/${encodeURIComponent(evil.id)}`;
    expect((await tenant.post(`${other}/suspend`, { csrf })).status).toBe(404);
    expect((await tenant.post(`${failingPath}/replay`, { csrf })).status).toBe(403);
    expect((await tenant.post(`${failingPath}/suspend`, { csrf })).status).toBe(303);
    expect(await stateOf(failing.id)).toBe('suspended');
    expect((await tenant.post(`${failingPath}/resume`, { csrf })).status).toBe(303);
    await close();
  });
});
