import { DashboardClient } from '../support/clients/dashboard-client';
import { GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(60_000);

const READ_KEY = 'a-key-that-only-reads';
const TOKEN = 'token-of-the-shop-1234';
const PUSHER = { appId: '42', key: 'key-of-loja', secret: 's3cr3t-of-loja', cluster: 'eu', events: ['CALL'] };

let gateway: GatewayHarness;
let operator: DashboardClient;
const pageOf = (section: string, more: Readonly<Record<string, string>> = {}): string =>
  `/dashboard/instances/section?${new URLSearchParams({ instance: 'loja', section, ...more })}`;
const actionOf = (section: string, instance = 'loja'): string =>
  `/dashboard/instances/${instance}/sections/${section}`;

beforeAll(async () => {
  gateway = await GatewayHarness.start({ DASHBOARD_READ_KEY: READ_KEY });
  operator = await DashboardClient.logIn(gateway.gateway.gatewayPort);
});
afterAll(() => gateway.close());
beforeEach(async () => {
  const webhooks = { n8n: { url: 'https://example.com/n8n', headers: { 'x-key': 's3cr3t-header' } } };
  const body = { token: TOKEN, pusher: PUSHER, webhooks };
  await gateway.ask('DELETE', '/instance/delete/loja');
  expect((await gateway.ask('POST', '/settings/set/loja', { body })).status).toBe(201);
});

/** What the form of a page would send, as it stands. */
function fieldsIn(html: string): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = { events: [] };
  const unescaped = (text = ''): string => text.replaceAll('&quot;', '"');
  for (const [tag, name = ''] of html.matchAll(/<input [^>]*name="([^"]+)"[^>]*>/g)) {
    const value = unescaped(/value="([^"]*)"/.exec(tag)?.[1]);
    if (tag.includes('type="checkbox"') && !tag.includes(' checked')) continue;
    found[name] = name === 'events' ? [found[name] ?? [], value].flat() : value;
  }
  for (const [, name = '', text] of html.matchAll(/<textarea id="([^"]+)"[^>]*>\n([^<]*)<\/textarea>/g))
    found[name] = unescaped(text);
  return found;
}

const stored = async (): Promise<Record<string, Record<string, unknown>>> => {
  const redis = gateway.connectRedis();
  try {
    return JSON.parse((await gateway.stored(redis, 'loja')) ?? '{}');
  } finally {
    redis.disconnect();
  }
};

describe('sections of an instance', () => {
  test('are all on its page, further ones by their names', async () => {
    const { text } = await operator.get('/dashboard/instances/one?instance=loja');
    for (const path of ['webhook', 'webhooks.n8n', 'pusher', 'websocket', 'rabbitmq', 'sqs'])
      expect(text).toContain(`>${path}</a>`);
    expect(text).not.toContain('s3cr3t');
  });

  test('are shown without their secrets, and saved without a change where nobody made one', async () => {
    const before = await stored();
    for (const [section, more] of [
      ['pusher', {}],
      ['webhook', { name: 'n8n' }],
    ] as const) {
      const { status, text } = await operator.get(pageOf(section, more));
      expect(status).toBe(200);
      expect(text).not.toContain('s3cr3t');
      expect(text).not.toContain('data-live');
      const saved = await operator.post(actionOf(section), fieldsIn(text));
      expect([saved.status, saved.headers.location]).toEqual([303, `${pageOf(section, more)}&done=saved`]);
    }
    expect(await stored()).toEqual(before);
  });

  test('are changed by what was changed, beside what others change meanwhile; a secret stays', async () => {
    const { text } = await operator.get(pageOf('pusher'));
    await gateway.ask('POST', '/pusher/set/loja', {
      body: { pusher: { cluster: 'us2', secret: 'another-s3cr3t' } },
    });
    await operator.post(actionOf('pusher'), { ...fieldsIn(text), concurrency: '5', ordered: 'chat' });
    expect((await stored())['pusher']).toMatchObject({
      ...{ cluster: 'us2', secret: 'another-s3cr3t', concurrency: 5, ordered: 'chat', key: PUSHER.key },
    });
  });

  test('that lead elsewhere want their secret anew, as it is sent nowhere else', async () => {
    const fields = fieldsIn((await operator.get(pageOf('pusher'))).text);
    const moved = { ...fields, host: '93.184.216.34', port: '8443' };
    const refused = await operator.post(actionOf('pusher'), moved);
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('id="problem-secret"')]);
    expect((await operator.post(actionOf('pusher'), { ...moved, secret: 'given-anew' })).status).toBe(303);
    expect((await stored())['pusher']).toMatchObject({ host: '93.184.216.34', secret: 'given-anew' });
  });

  test('of a further webhook: a header is added beside one that stays secret', async () => {
    const fields = fieldsIn((await operator.get(pageOf('webhook', { name: 'n8n' }))).text);
    const headers = JSON.stringify({ 'x-key': '********', 'x-new': 'given' });
    await operator.post(actionOf('webhook'), { ...fields, headers, maxAttempts: '3' });
    expect((await stored())['webhooks']?.['n8n']).toMatchObject({
      headers: { 'x-key': 's3cr3t-header', 'x-new': 'given' },
      maxAttempts: 3,
    });
  });

  test('that nothing was set for are made by their form', async () => {
    for (const section of ['websocket', 'rabbitmq', 'sqs']) {
      const fields = fieldsIn((await operator.get(pageOf(section))).text);
      expect((await operator.post(actionOf(section), { ...fields, events: 'CALL' })).status).toBeLessThan(
        400,
      );
      expect((await stored())[section]).toMatchObject({ enabled: true, events: ['CALL'] });
    }
    const { text } = await operator.get(pageOf('webhook', { name: 'crm' }));
    await operator.post(actionOf('webhook'), {
      ...fieldsIn(text),
      events: 'CALL',
      url: 'https://example.com/crm',
    });
    expect((await stored())['webhooks']?.['crm']).toMatchObject({ url: 'https://example.com/crm' });
  });

  test('are refused with the field that is wrong, and what was typed stays', async () => {
    const fields = fieldsIn((await operator.get(pageOf('pusher'))).text);
    const wrong = { ...fields, port: 'eighty', filter: '{', appId: 'a b' };
    const own = await operator.post(actionOf('pusher'), wrong);
    expect(own.status).toBe(400);
    expect(own.text).toContain('pusher.port: is no whole number');
    expect(own.text).toContain('id="problem-filter"');
    expect(own.text).toContain('value="eighty"');
    const byApi = await operator.post(actionOf('pusher'), { ...fields, port: '70000', appId: 'a b' });
    expect(byApi.status).toBe(400);
    for (const field of ['port', 'appId']) expect(byApi.text).toContain(`id="problem-${field}"`);
    expect((await stored())['pusher']).toMatchObject(PUSHER);
  });

  test.each([
    ['nonsense', {}],
    ['__proto__', {}],
    ['pusher', { name: 'n8n' }],
    ['webhook', { name: '..' }],
    ['webhook', { name: 'a/b' }],
    ['webhook', { name: '<script>' }],
  ])('that do not exist are not there: %s %j', async (section, more) => {
    expect((await operator.get(pageOf(section, more))).status).toBe(404);
    const csrf = await operator.csrf();
    const of = 'name' in more ? { of: more.name } : {};
    expect((await operator.post(actionOf(section), { csrf, ...of })).status).toBe(404);
  });

  test('are seen and not set by a key that only reads, and are those of its own instance for a token', async () => {
    const port = gateway.gateway.gatewayPort;
    const reader = await DashboardClient.logIn(port, READ_KEY);
    expect((await reader.get(pageOf('pusher'))).text).not.toContain('<form class="settings"');
    const read = { csrf: await reader.csrf(), cluster: 'us2' };
    expect((await reader.post(actionOf('pusher'), read)).status).toBe(403);
    const tenant = await DashboardClient.logIn(port, TOKEN, 'loja');
    const fields = fieldsIn((await tenant.get(pageOf('pusher'))).text);
    expect((await tenant.post(actionOf('pusher'), { ...fields, concurrency: '7' })).status).toBe(303);
    expect((await tenant.post(actionOf('pusher', 'other'), fields)).status).toBe(404);
    expect((await tenant.post(actionOf('pusher'), { ...fields, csrf: '' })).status).toBe(403);
    expect((await stored())['pusher']).toMatchObject({ concurrency: 7, secret: PUSHER.secret });
  });
});
