import { DashboardClient } from '../support/clients/dashboard-client';
import { failing, failingPath, startDashboard } from '../support/harness/dashboard-harness';
import { ask, type GatewayHarness, type HttpAnswer } from '../support/harness/gateway-harness';

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
    expect(await dashboard.stateOf(failing.id)).not.toBe('suspended');
  });

  test('suspend and resume, each with a line in the log that names the kind of key', async () => {
    const csrf = await operator.csrf();
    const done = await operator.post(`${failingPath}/suspend`, { csrf }, { origin: gateway.url });
    expect([done.status, done.headers.location]).toEqual([303, `${failingPath}?done=suspend`]);
    expect((await operator.get(`${failingPath}?done=suspend`)).text).toContain('nothing is attempted');
    await operator.post(`${failingPath}/resume`, { csrf });
    const own = await tenant.csrf();
    for (const action of ['suspend', 'resume']) await tenant.post(`${failingPath}/${action}`, { csrf: own });
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
    const before = await dashboard.stateOf(failing.id);
    const { cookie } = operator;
    for (const path of ['clean/delayed', 'pause', 'empty', 'retry/failed', 'promote', 'obliterate'])
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const { status } = await ask(port(), method, `/queues/api/queues/retry/${path}`, {
          key: null,
          headers: { cookie },
        });
        expect([path, method, status]).toEqual([path, method, 404]);
      }
    expect(await dashboard.stateOf(failing.id)).toBe(before);
  });
});

/** A page of elsewhere has no session, or its form is not ours. */
async function outcomeOf(asked: Promise<HttpAnswer>): Promise<'done' | 'not done'> {
  const { status, headers } = await asked;
  return status === 403 || headers.location?.startsWith('/dashboard/log-in') ? 'not done' : 'done';
}
