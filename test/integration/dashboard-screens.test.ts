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

test('the tail shows the newest events once, with what became of each delivery', async () => {
  const { text } = await operator.get('/dashboard/tail?instance=loja&event=MESSAGES_UPSERT');
  expect(text.match(/3EB0LOJA/g)).toHaveLength(1);
  expect(text).toContain('badge rejected');
  expect((await operator.get('/dashboard/tail?event=CALL')).text).not.toContain('3EB0LOJA');
});
