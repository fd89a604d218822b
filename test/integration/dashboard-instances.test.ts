import { settingsFormTexts } from '../../src/dashboard/texts/settings-form-texts';
import type { DashboardClient } from '../support/clients/dashboard-client';
import type { GatewayHarness } from '../support/harness/gateway-harness';
import {
  EVIL,
  EVIL_TEXT,
  foreign,
  instancePath,
  logged,
  pathOf,
  refused,
  ScreensHarness,
} from '../support/harness/screens-harness';

jest.setTimeout(60_000);

let screens: ScreensHarness;
let gateway: GatewayHarness;
let operator: DashboardClient;
let reader: DashboardClient;
let tenant: DashboardClient;
beforeAll(async () => {
  screens = await ScreensHarness.open();
  ({ gateway } = screens);
  ({ operator, reader, tenant } = screens.people);
});
afterAll(() => screens.close());

describe('instances', () => {
  const set = (client: DashboardClient, fields: Readonly<Record<string, string>>) =>
    client.post('/dashboard/instances/loja/webhook', fields);
  const good = { enabled: 'yes', url: 'http://127.0.0.1:9/new', events: 'MESSAGES_UPSERT' };
  const webhook = async (): Promise<Record<string, unknown>> =>
    (await gateway.ask('GET', '/webhook/find/loja')).body as Record<string, unknown>;

  test('are listed, the silent ones first, with how lively they usually are', async () => {
    const { text } = await operator.get('/dashboard/instances', { 'accept-language': 'en' });
    expect(text.indexOf(EVIL_TEXT)).toBeLessThan(text.indexOf('>loja</a>'));
    expect(text).toContain('was lively and fell silent');
    const { text: one } = await operator.get(instancePath('loja'));
    expect(one).toContain('id="rhythm"');
    expect(one).toContain('>288<');
    expect(one).toContain('id="save"');
    expect(one).not.toContain('secret-password');
  });

  test('are set by a form; what it does not know stays', async () => {
    await gateway.ask('POST', '/webhook/set/loja', {
      body: { webhook: { url: 'http://127.0.0.1:9/hook', maxAttempts: 7 } },
    });
    const csrf = await operator.csrf();
    const filter = '{"data.key.fromMe": false}';
    const done = await set(operator, { ...good, csrf, groups: 'not', filter });
    expect([done.status, done.headers.location]).toEqual([
      303,
      '/dashboard/instances/one?instance=loja&done=saved',
    ]);
    expect(await webhook()).toMatchObject({
      url: 'http://127.0.0.1:9/new',
      events: ['MESSAGES_UPSERT'],
      groups: false,
      filter: { 'data.key.fromMe': false },
      maxAttempts: 7,
    });
    expect(gateway.gateway.log).toContain('"what":"/dashboard/instances/loja/webhook"');
    // What is taken out of the form is taken away.
    expect((await set(operator, { ...good, csrf })).status).toBe(303);
    const { groups, filter: left } = await webhook();
    expect([groups, left]).toEqual([undefined, undefined]);
  });

  test('are refused with the name of the field, and what was typed stays', async () => {
    const csrf = await operator.csrf();
    const before = await webhook();
    const wrong: readonly (readonly [field: string, fields: Record<string, string>])[] = [
      ['url', { ...good, url: 'nonsense <b>' }],
      ['url', { ...good, url: 'http://10.0.0.1/inside' }],
      ['url', { ...good, url: `http://127.0.0.1/${'x'.repeat(10_000)}` }],
      ['events', { enabled: 'yes', url: good.url }],
      ['filter', { ...good, filter: '[1' }],
      ['filter', { ...good, filter: '{"data.x": {"$regex": "a"}}' }],
      ['filter', { ...good, filter: `{"data.x": "${'y'.repeat(30_000)}"}` }],
    ];
    for (const [field, fields] of wrong) {
      const { status, text } = await set(operator, { ...fields, csrf });
      expect([field, status]).toEqual([field, 400]);
      expect(text).toContain(`id="problem-${field}"`);
      expect(text).toContain(`webhook.${field}`);
      // A page that brings itself up to date would take away what was typed.
      expect(text).not.toContain('data-live');
      expect(text).not.toContain('<b>');
    }
    const huge = await set(operator, { ...good, csrf, filter: 'z'.repeat(2_000_000) });
    expect(huge.status).toBe(413);
    expect(await webhook()).toEqual(before);
  });

  test('say what a filter would let through of what came lately', async () => {
    const csrf = await operator.csrf();
    const tried = async (fields: Record<string, string>): Promise<string> => {
      const { status, text } = await set(operator, { ...good, csrf, try: 'yes', ...fields });
      expect(status).toBe(200);
      return /id="trial".*?<\/div>/s.exec(text)?.[0] ?? '';
    };
    const before = await webhook();
    expect(await tried({ fromMe: 'not' })).toMatch(/<strong>/);
    const [passes, leftOut] = [await tried({ fromMe: 'not' }), await tried({ fromMe: 'only' })];
    expect(passes).toContain('passes');
    expect(leftOut).toContain('fromMe: wanted true, found false');
    const wrong = await set(operator, { ...good, csrf, try: 'yes', filter: '{"data.x": {"$odd": 1}}' });
    expect([wrong.status, wrong.text.includes('id="problem-filter"')]).toEqual([400, true]);
    expect(await webhook()).toEqual(before);
    // Nothing was to be saved.
    const { text: untried } = await set(operator, { ...good, csrf, filter: '[1', try: 'yes' });
    expect(untried).toContain(settingsFormTexts.en.notTried);
    expect(untried).not.toContain(settingsFormTexts.en.refused);
  });

  test('cannot be set by a key that only reads', async () => {
    const { text } = await reader.get(instancePath('loja'));
    expect(text).not.toContain('id="save"');
    expect((await set(reader, { ...good, csrf: await reader.csrf() })).status).toBe(403);
  });
});

describe('a token of an instance', () => {
  test('sees the deliveries, events and settings of that instance alone', async () => {
    for (const path of ['/dashboard/deliveries', '/dashboard/tail', '/dashboard/instances'])
      for (const query of ['', `?instance=${encodeURIComponent(EVIL)}`, '?message=3EB0EVIL']) {
        const { status, text } = await tenant.get(`${path}${query}`);
        expect([path, status]).toEqual([path, 200]);
        expect(text).not.toContain(pathOf(foreign));
        expect(text).not.toContain('alert(1)&lt;/script&gt;</td>');
      }
    expect((await tenant.get('/dashboard/instances')).text).not.toContain(EVIL_TEXT);
    expect((await tenant.get(pathOf(logged))).status).toBe(200);
    expect((await tenant.get(pathOf(foreign))).status).toBe(404);
    expect((await tenant.get(instancePath('loja'))).status).toBe(200);
    expect((await tenant.get(instancePath(EVIL))).status).toBe(404);
  });

  test('does not see what the operator’s own endpoint answered, nor where that is', async () => {
    expect((await operator.get(pathOf(refused))).text).toContain('onerror=alert(1)&gt;');
    const { status, text } = await tenant.get(pathOf(refused));
    expect(status).toBe(200);
    expect(text).not.toContain('onerror');
    expect(text).not.toContain('curl');
  });

  test('sets that instance alone', async () => {
    const csrf = await tenant.csrf();
    const fields = { csrf, enabled: 'yes', url: 'http://127.0.0.1:9/mine', events: 'CALL' };
    for (const instance of [EVIL, 'other', ''])
      for (const extra of [{}, { try: 'yes' }]) {
        const path = `/dashboard/instances/${encodeURIComponent(instance)}/webhook`;
        const { status } = await tenant.post(path, { ...fields, ...extra });
        expect([instance, status]).toEqual([instance, 404]);
      }
    expect((await gateway.ask('GET', '/webhook/find/other')).body).toBeNull();
    const done = await tenant.post('/dashboard/instances/loja/webhook', fields);
    expect(done.status).toBe(303);
    expect((await gateway.ask('GET', '/webhook/find/loja')).body).toMatchObject({ events: ['CALL'] });
    for (const what of ['replay', 'cancel-replay'])
      expect((await tenant.post(`${pathOf(foreign)}/${what}`, { csrf })).status).toBe(403);
  });
});
