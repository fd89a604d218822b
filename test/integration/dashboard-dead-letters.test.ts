import type { Delivery } from '../../src/pipeline/delivery';
import type { DashboardClient } from '../support/clients/dashboard-client';
import { FakeDestination } from '../support/harness/pipeline-harness';
import { global, ScreensHarness, until } from '../support/harness/screens-harness';
import { deliveries, type StoreHarness } from '../support/harness/store-harness';
import { eventually } from '../support/signals/signals';

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
