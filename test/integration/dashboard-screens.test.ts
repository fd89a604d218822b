<<<<<<< HEAD
import type { DashboardClient } from '../support/clients/dashboard-client';
import {
  BIG,
  EVIL,
  EVIL_TEXT,
  foreign,
  INSTANCE_KEY,
  instancePath,
  logged,
  own,
  pathOf,
  refused,
  ScreensHarness,
  until,
} from '../support/harness/screens-harness';
import type { StoreHarness } from '../support/harness/store-harness';
=======
import { settingsFormTexts } from '../../src/dashboard/texts/settings-form-texts';
import { LogNotes } from '../../src/delivery-log/log-notes';
import { LogStore } from '../../src/delivery-log/log-store';
import { LogWriter } from '../../src/delivery-log/log-writer';
import type { Delivery } from '../../src/pipeline/delivery';
import { connectRedis } from '../../src/redis/client';
import type { RelayRedis } from '../../src/redis/relay-redis';
import { SilenceStore } from '../../src/silence/silence-store';
import { WatchedInstance } from '../../src/silence/watched-instance';
import { DashboardClient } from '../support/clients/dashboard-client';
import { GatewayHarness } from '../support/harness/gateway-harness';
import { DELIVERED, FakeDestination } from '../support/harness/pipeline-harness';
import { deliveries, StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';
import { deliveryTo } from '../support/values/events';
import { redisConfig } from '../support/values/redis-config';
>>>>>>> w-two

jest.setTimeout(60_000);

let screens: ScreensHarness;
let store: StoreHarness;
let operator: DashboardClient;
let reader: DashboardClient;
let tenant: DashboardClient;
beforeAll(async () => {
  screens = await ScreensHarness.open();
  ({ store } = screens);
  ({ operator, reader, tenant } = screens.people);
});
afterAll(() => screens.close());

const SCREENS = ['deliveries', 'dead-letters', 'instances', 'tail'].map((name) => `/dashboard/${name}`);

describe('the further screens', () => {
  test('are in the menu, run nothing of others, and speak each language', async () => {
    for (const path of [
      ...SCREENS,
      instancePath('loja'),
      instancePath(EVIL),
      pathOf(logged),
      pathOf(foreign),
    ]) {
      for (const language of ['en', 'pt-BR', 'es']) {
        const { status, text, headers } = await operator.get(path, { 'accept-language': language });
        expect([path, status]).toEqual([path, 200]);
        expect(text).toContain(`<html lang="${language}">`);
        expect(text).not.toMatch(/<script(?![^>]*src="\/dashboard)|<img|style="/);
        expect(headers['content-security-policy']).toContain("default-src 'none'");
      }
      const { text } = await operator.get(path);
      for (const screen of SCREENS) expect(text).toContain(`href="${screen}"`);
    }
  });

  test('show names of HTML as text, and answers of control characters as what they are', async () => {
    for (const path of [
      '/dashboard/deliveries',
      '/dashboard/instances',
      '/dashboard/tail',
      instancePath(EVIL),
    ]) {
      const { text } = await operator.get(path);
      expect([path, text.includes(EVIL_TEXT)]).toEqual([path, true]);
    }
    const { text } = await operator.get(pathOf(refused));
    expect(text).toContain('no\\u0000\\u001b[2J\\u202e&lt;img src=x onerror=alert(1)&gt;');
  });

  test('take nonsense in their address', async () => {
    const long = 'x'.repeat(10_000);
    const good = [
      'since=9999d&until=0s',
      `since=${'9'.repeat(400)}d`,
      'since=1970-01-01&until=9999-12-31',
      'outcome=odd',
      'message=a&message=b',
      `instance=${encodeURIComponent(EVIL)}`,
      'chat=%00%1b&event=..%2F..',
      '__proto__=1&constructor=2',
      'destination=nonsense&offset=-1&state=odd',
    ];
    for (const screen of SCREENS)
      for (const query of good)
        expect([screen, query, (await operator.get(`${screen}?${query}`)).status]).toEqual([
          screen,
          query,
          200,
        ]);
    for (const query of [`message=${long}`, `event=${long}`, 'since=yesterday', 'until=%3Cb%3E'])
      expect([query, (await operator.get(`/dashboard/deliveries?${query}`)).status]).toEqual([query, 400]);
    for (const path of [
      '/dashboard/deliveries/nonsense',
      '/dashboard/deliveries/%00',
      '/dashboard/dead-letters/odd',
    ])
      expect([path, (await operator.get(path)).status]).toEqual([path, 404]);
    expect((await operator.get('/dashboard/instances/one')).status).toBe(404);
  });
});

describe('deliveries', () => {
  test('are found by message, number, instance, event, destination, outcome and time', async () => {
    const found = async (query: Record<string, string>): Promise<string> =>
      (await operator.get(`/dashboard/deliveries?${new URLSearchParams(query)}`)).text;
    const all: Record<string, string>[] = [
      { message: '3EB0LOJA' },
      { message: '3EB0LOJA', chat: '+55 11 98888-7777' },
      { message: '3EB0LOJA', instance: 'loja', event: 'MESSAGES_UPSERT' },
      { destination: own.id, outcome: 'delivered', since: '2h' },
    ];
    for (const query of all) {
      const text = await found(query);
      expect(text).toContain(`href="${pathOf(logged)}"`);
      expect(text).not.toContain(`href="${pathOf(foreign)}"`);
    }
    expect(await found({ reason: 'HTTP_400' })).toContain(`href="${pathOf(refused)}"`);
  });

  test('that are not there are answered with since when the relay would know', async () => {
    const { text } = await operator.get('/dashboard/deliveries?message=3EB0NOWHERE', {
      'accept-language': 'en',
    });
    expect(text).toMatch(
      /Not seen by the relay since <time [^>]+>[^<]+<\/time>, when the delivery log begins/,
    );
  });

  test('are shown with their story, their body and a command, without any secret', async () => {
    const { text } = await operator.get(pathOf(logged));
    expect(text).toContain('3EB0LOJA');
    expect(text).toContain('curl -X POST');
    expect(text).toContain(`webhook-id: ${logged.id}`);
    // Numbers stay as they were sent.
    expect(text).toContain(BIG);
    expect(text).not.toContain(INSTANCE_KEY);
    expect(text).not.toContain('secret-password');
  });

  test('are delivered again one by one, by the operator alone', async () => {
    const path = `${pathOf(logged)}/replay`;
    const readerCsrf = await reader.csrf();
    expect((await reader.get(pathOf(logged))).text).not.toContain('/replay"');
    expect((await reader.post(path, { csrf: readerCsrf })).status).toBe(403);
    expect((await tenant.get(pathOf(logged))).text).not.toContain('/replay"');
    expect((await tenant.post(path, { csrf: await tenant.csrf() })).status).toBe(403);
    expect((await operator.post(path, { csrf: 'wrong' })).status).toBe(403);
    const done = await operator.post(path, { csrf: await operator.csrf() });
    expect([done.status, done.headers.location]).toEqual([303, `${pathOf(logged)}?done=replay`]);
    await until(async () => (await operator.get(pathOf(logged))).text.includes('badge done'), 'replayed');
    expect(await store.line(own)).toMatchObject({ accepted: 1, parked: 1 });
  });
});

<<<<<<< HEAD
=======
describe('dead letters', () => {
  const doomed = new FakeDestination('webhook:instance/doomed');
  const list = '/dashboard/dead-letters?destination=webhook%3Ainstance%2Fdoomed';
  const formOf = (text: string): Record<string, string> => {
    const form = /<div class="confirm".*?<\/form>/s.exec(text)?.[0] ?? '';
    const fields = [...form.matchAll(/name="(\w+)" value="([^"]*)"/g)];
    return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
  };

  let begun = 0;
  let buried: readonly Delivery[] = [];

  beforeEach(async () => {
    begun += 100;
    buried = deliveries(doomed, 7, begun);
    await store.bury(buried);
    await store.bury(deliveries(global, 2, begun + 50));
  });

  afterEach(async () => {
    for await (const { id } of store.deadLetters.list()) await store.deadLetters.remove(id);
  });

  test('are grouped by reason, counted before anything is done, and removed in the background', async () => {
    const { text } = await operator.get(list, { 'accept-language': 'en' });
    expect(text).toMatch(/id="groups".*the destination rejects it.*class="number">7</s);
    const { text: asked } = await operator.get(`${list}&confirm=remove`, { 'accept-language': 'en' });
    expect(asked).toContain('7 would be removed for good');
    expect(await store.line(doomed)).toMatchObject({ dead: 7 });
    const done = await operator.post('/dashboard/dead-letters/remove-all', formOf(asked));
    expect([done.status, done.headers.location]).toEqual([303, '/dashboard/dead-letters?done=remove']);
    await until(async () => (await store.line(doomed))?.dead === 0, 'removed');
    expect(await store.line(global)).toMatchObject({ dead: 2 });
    const isDone = async (): Promise<boolean> =>
      (await operator.get('/dashboard/dead-letters?done=remove')).text.includes('badge done');
    await until(isDone, 'the removal is done');
  });

  test('that match are delivered again', async () => {
    const { text: asked } = await operator.get(`${list}&confirm=replay`, { 'accept-language': 'en' });
    expect(asked).toContain('7 would be delivered again');
    const done = await operator.post('/dashboard/dead-letters/replay-all', formOf(asked));
    expect(done.status).toBe(303);
    await until(async () => (await store.line(doomed))?.dead === 0, 'replayed');
  });

  test('are never all removed by a form that says nothing', async () => {
    const csrf = await operator.csrf();
    for (const fields of [{ csrf }, { csrf, until: 'odd' }, { csrf, reason: 'rejected' }])
      for (const what of ['remove-all', 'replay-all']) {
        const { status } = await operator.post(`/dashboard/dead-letters/${what}`, fields);
        expect([what, status]).toEqual([what, 400]);
      }
    expect(await store.line(doomed)).toMatchObject({ dead: 7 });
  });

  test('are shown, replayed and removed one by one', async () => {
    // The list is kept for some seconds: it may be that of the test before.
    const text = await eventually(async () => {
      const page = await operator.get(list);
      return buried.some(({ id }) => page.text.includes(id)) ? page.text : undefined;
    }, 'the letters of this test in the list');
    const [first = '', second = ''] = [...text.matchAll(/href="(\/dashboard\/dead-letters\/[^"?]+)"/g)].map(
      ([, path = '']) => path,
    );
    expect((await operator.get(first)).text).toContain('class="story"');
    const csrf = await operator.csrf();
    expect((await operator.post(`${first}/remove`, { csrf })).headers.location).toContain('done=removed');
    expect((await operator.post(`${second}/replay`, { csrf })).headers.location).toContain('done=replayed');
    expect(await store.line(doomed)).toMatchObject({ dead: 5 });
    expect((await operator.post(`${first}/remove`, { csrf })).status).toBeGreaterThanOrEqual(400);
  });

  test('are nothing for a token of an instance, and a key that only reads changes none', async () => {
    expect((await tenant.get(list)).status).toBe(403);
    const [tenantCsrf, readerCsrf] = [await tenant.csrf(), await reader.csrf()];
    const { text } = await reader.get(`${list}&confirm=remove`);
    expect(text).not.toContain('remove-all');
    const id = (/href="(\/dashboard\/dead-letters\/[^"?]+)"/.exec(text) ?? [])[1] ?? '';
    expect((await tenant.get(id)).status).toBe(403);
    const until = new Date().toISOString();
    for (const path of [
      `${id}/remove`,
      `${id}/replay`,
      '/dashboard/dead-letters/remove-all',
      '/dashboard/dead-letters/replay-all',
    ]) {
      expect((await tenant.post(path, { csrf: tenantCsrf, until })).status).toBe(403);
      expect((await reader.post(path, { csrf: readerCsrf, until })).status).toBe(403);
    }
    expect(await store.line(doomed)).toMatchObject({ dead: 7 });
  });
});

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

>>>>>>> w-two
test('the tail shows the newest events once, with what became of each delivery', async () => {
  const { text } = await operator.get('/dashboard/tail?instance=loja&event=MESSAGES_UPSERT');
  expect(text.match(/3EB0LOJA/g)).toHaveLength(1);
  expect(text).toContain('badge rejected');
  expect((await operator.get('/dashboard/tail?event=CALL')).text).not.toContain('3EB0LOJA');
});
