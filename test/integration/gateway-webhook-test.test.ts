import {
  API_KEY,
  ask,
  errorShape,
  GatewayHarness,
  type HttpAnswer,
} from '../support/harness/gateway-harness';
import { HttpTarget, respond } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';

jest.setTimeout(60_000);

let harness: GatewayHarness;
let target: HttpTarget;

beforeAll(async () => {
  harness = await GatewayHarness.start({
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32',
    SERVER_URL: 'https://evolution.example.test',
  });
});
afterAll(() => harness.close());
beforeEach(async () => {
  target = await HttpTarget.start();
});
afterEach(() => target.stop());

const tokenOf = (instanceName: string): string => `token-of-${instanceName}`;

async function create(instanceName: string, url: string): Promise<void> {
  const body = { instanceName, token: tokenOf(instanceName), webhook: { url } };
  expect((await harness.ask('POST', '/instance/create', { body })).status).toBe(201);
}

const test_ = (instanceName: string, key = tokenOf(instanceName)): Promise<HttpAnswer> =>
  ask(harness.gateway.gatewayPort, 'POST', `/webhook/test/${instanceName}`, { key });

test('a test event names the core API as its own events do, by SERVER_URL', async () => {
  await create('named', `${target.url}/named`);
  expect((await test_('named')).body).toMatchObject({ outcome: 'delivered' });
  const [request] = target.received.all;
  expect(JSON.parse(String(request?.body))).toMatchObject({ server_url: 'https://evolution.example.test' });
});

test('one instance has two tests at a time; others never wait for it (finding 1.11)', async () => {
  target.answer = () => {};
  await create('greedy', `${target.url}/hook`);
  await create('patient', `${target.url}/quick`);
  const greedy = Array.from({ length: 30 }, () => test_('greedy'));
  const refused = await Promise.any(
    greedy.map(async (answer) => {
      const { status } = await answer;
      if (status !== 429) throw new Error('not refused');
      return answer;
    }),
  );
  expect(refused.body).toEqual(
    errorShape(429, 'Too Many Requests', [expect.stringContaining('2 tests of this instance')]),
  );
  expect(refused.headers['retry-after']).toBe('5');
  await eventually(() => target.received.all.length === 2 || undefined, 'two under way');
  target.answer = respond(200);
  expect((await test_('patient')).body).toMatchObject({ outcome: 'delivered' });
  const all = await Promise.all(greedy);
  expect(all.filter(({ status }) => status === 429).length).toBe(28);
  // Fifteen seconds later, whatever the webhook's own limit is.
  expect(all.filter(({ body }) => (body as { code?: string }).code === 'TIMEOUT').length).toBe(2);
  expect(target.received.all.filter(({ path }) => path.startsWith('/hook')).length).toBe(2);
  expect((await test_('greedy')).body).toMatchObject({ outcome: 'delivered' });
});

test('a token learns nothing of names inside; the operator’s key does (finding 5.3)', async () => {
  const strict = await harness.startProcess({ WEBHOOK_ALLOWED_NETWORKS: '' });
  // Resolves, to an address that is no longer open to webhooks; and one that resolves nowhere.
  await harness.startProcess({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128' });
  await create('inside', 'http://localhost:1/hook');
  await create('nowhere', 'http://no-such-host.invalid/hook');
  const tested = (instanceName: string, key: string): Promise<HttpAnswer> =>
    ask(strict.gatewayPort, 'POST', `/webhook/test/${instanceName}`, { key });
  const inside = await tested('inside', tokenOf('inside'));
  const nowhere = await tested('nowhere', tokenOf('nowhere'));
  expect(inside.body).toMatchObject({ outcome: 'failed', code: 'ADDRESS_UNREACHABLE' });
  expect(inside.text).not.toMatch(/127\.|::1|localhost/);
  expect([nowhere.status, nowhere.text]).toEqual([inside.status, inside.text]);
  expect((await tested('inside', API_KEY)).body).toMatchObject({
    code: 'ADDRESS_REFUSED',
    answer: expect.stringContaining('localhost leads to'),
  });
});

test('what the receiver itself does is told to a token as well', async () => {
  target.answer = respond(404, {}, 'no such workflow');
  await create('shop', `${target.url}/hook`);
  expect((await test_('shop')).body).toMatchObject({
    outcome: 'rejected',
    status: 404,
    answer: 'no such workflow',
  });
});
