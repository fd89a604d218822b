import type { Language } from '../../src/dashboard/language';
import { oneDestinationTexts } from '../../src/dashboard/texts/one-destination-texts';
import { browserProgram } from '../support/clients/browser';
import { DashboardBrowser } from '../support/clients/dashboard-browser';
import { messageEvents, type OutgoingEvent } from '../support/clients/publisher';
import { API_KEY, ask } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { HttpTarget, respond } from '../support/servers/http-target';
import { eventually } from '../support/signals/signals';

jest.setTimeout(240_000);

// Where no browser can be had, `npm test` has said so.
const describe_ = browserProgram() === undefined ? describe.skip : describe;

const EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>';
const REFUSAL = 'moved: use /v2 <b onclick=alert(3)>';

let scenario: Scenario;
let relay: RelayProcess;
let old: HttpTarget;
let present: HttpTarget;
let person: DashboardBrowser | undefined;

beforeEach(async () => {
  [old, present] = await Promise.all([HttpTarget.start(), HttpTarget.start()]);
  old.answer = respond(503, {}, REFUSAL);
  scenario = await Scenario.start({
    env: {
      AUTHENTICATION_API_KEY: API_KEY,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      DELIVERY_LOG_BODIES: 'true',
      CIRCUIT_FAILURES: '2',
      CIRCUIT_OPEN_SECONDS: '2',
      // A person reads slowly: nothing is given up on meanwhile.
      WEBHOOK_RETRY_MAX_ATTEMPTS: '100',
    },
  });
  relay = await scenario.startBoth();
});
afterEach(async () => {
  await person?.close();
  person = undefined;
  await scenario.close();
  await Promise.all([old.stop(), present.stop()]);
});

const set = async (instance: string, url: string): Promise<void> => {
  const path = `/webhook/set/${encodeURIComponent(instance)}`;
  const body = { webhook: { enabled: true, url, events: [] } };
  expect((await ask(relay.gatewayPort, 'POST', path, { body })).status).toBe(201);
};

/** Events of one instance. */
function eventsOf(instance: string, count: number): OutgoingEvent[] {
  return messageEvents(`of-${count}`, count).map((event) => ({
    ...event,
    body: () => Buffer.from(JSON.stringify({ ...JSON.parse(event.body().toString()), instance })),
  }));
}

/** A destination has a page once the audit has counted its first delivery. */
const untilKnown = (id: string): Promise<true> =>
  eventually(async () => {
    const { status } = await ask(relay.gatewayPort, 'GET', `/destinations/${encodeURIComponent(id)}`);
    return status === 200 ? true : undefined;
  }, `${id} is known`);

const visit = async (locale: string): Promise<DashboardBrowser> => {
  person = await DashboardBrowser.open(`http://127.0.0.1:${relay.gatewayPort}/`, locale);
  return person;
};

describe_('a person at the dashboard', () => {
  test.each<Language>(['en', 'pt-BR'])(
    'in %s finds the endpoint that fails, reads why, changes its address, sees it drain, and replays',
    async (language) => {
      const words = oneDestinationTexts[language];
      await set('loja', `${old.url}/v1`);
      await scenario.publishEvents(eventsOf('loja', 12));
      await old.received.count(2);
      const browser = await visit(language);
      const { page } = browser;
      expect(await browser.accessibilityProblems()).toEqual([]);
      await browser.logIn(API_KEY);

      // What is worst is on top.
      await browser.untilText('.sentence.bad', 'loja · webhook');
      await browser.untilText('.sentence.bad', language === 'en' ? 'has refused since' : 'recusa desde');
      expect(await page.getAttribute('html', 'lang')).toBe(language);
      expect(await browser.accessibilityProblems()).toEqual([]);
      await browser.submit('.sentence a');

      // Why.
      await browser.untilText('#last-error', 'HTTP_503');
      await browser.untilText('td.answer', REFUSAL);
      expect(await browser.accessibilityProblems()).toEqual([]);

      // Its address.
      await page.click('#change-address summary');
      await page.fill('#address', `${present.url}/v2`);
      await browser.submit('#change-address button');
      await browser.untilText('.notice', words.done.address);
      await present.received.count(12, 60_000);
      await browser.untilText('.facts .badge.well', '');
      expect(await browser.text('#waiting')).toBe('0');
      await browser.submit(`form[action$="/test"] button`);
      await browser.untilText('#test-result', words.outcomes.delivered);

      // Again.
      await page.click('#replay summary');
      await browser.submit('#replay button[name=preview]');
      await browser.untilText('#preview', '12');
      await page.click('#replay summary');
      await browser.submit('#replay button.primary');
      await browser.untilText('.replays .badge.done', words.replayStates.done);
      await present.received.count(25, 60_000);
      const ids = present.received.all.map(({ headers }) => headers['webhook-id']);
      expect(new Set(ids).size).toBe(13);

      await page.click('nav a[href="/dashboard/destinations"]');
      await page.waitForSelector('table.rows');
      expect(await browser.accessibilityProblems()).toEqual([]);
      await page.click('nav a[href="/dashboard/queues"]');
      await browser.untilText('tbody th', scenario.name);
      expect(await browser.accessibilityProblems()).toEqual([]);
      expect(browser.troubles).toEqual([]);
    },
  );

  test('sees names and answers of HTML as text, on a phone and in the dark, too', async () => {
    await set(EVIL, `${old.url}/v1`);
    await scenario.publishEvents(eventsOf(EVIL, 3));
    await old.received.count(2);
    const browser = await visit('en');
    const { page } = browser;
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 740 });
    await browser.logIn(API_KEY);
    await browser.untilText('.sentence', EVIL);
    expect(await browser.accessibilityProblems()).toEqual([]);
    await browser.submit('.sentence a');
    await browser.untilText('h1', EVIL);
    await browser.untilText('td.answer', REFUSAL);
    expect(await browser.accessibilityProblems()).toEqual([]);
    const isTooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(isTooWide)).toBe(false);
    expect(await page.locator('main script, main img, main [onclick], main [onerror]').count()).toBe(0);
    expect(browser.troubles).toEqual([]);
  });

  test('is asked for nothing while the page is hidden, and keeps what was typed while it is seen', async () => {
    await set('loja', `${present.url}/v1`);
    await scenario.publishEvents(eventsOf('loja', 1));
    await present.received.count(1);
    await untilKnown('webhook:instance/loja');
    const browser = await visit('en');
    const { page } = browser;
    await browser.logIn(API_KEY);
    await page.goto(new URL('/dashboard/destinations/webhook%3Ainstance%2Floja', page.url()).href);
    await page.click('#change-address summary');
    await page.fill('#address', 'http://half-typed');
    const refreshed = (): Promise<unknown> =>
      page.waitForResponse((response) => response.request().headers()['x-relay-part'] === 'main');
    await refreshed();
    await scenario.publishEvents(eventsOf('loja', 2));
    await page.locator('td.answer').nth(2).waitFor({ timeout: 60_000 });
    expect(await page.inputValue('#address')).toBe('http://half-typed');
    expect(await page.isVisible('#address')).toBe(true);

    await browser.hide(true);
    const before = browser.asked.length;
    // Longer than two intervals.
    await page.waitForTimeout(7000);
    expect(browser.asked.length).toBe(before);
    const again = refreshed();
    await browser.hide(false);
    await again;
    expect(browser.troubles).toEqual([]);
  });

  test('sees what a form answered for as long as the page is there, while the rest is kept up to date', async () => {
    await set('loja', `${old.url}/v1`);
    await scenario.publishEvents(eventsOf('loja', 1));
    await old.received.count(1);
    await untilKnown('webhook:instance/loja');
    const browser = await visit('en');
    const { page } = browser;
    await browser.logIn(API_KEY);
    await page.goto(new URL('/dashboard/destinations/webhook%3Ainstance%2Floja', page.url()).href);
    const refreshed = (): Promise<unknown> =>
      page.waitForResponse((response) => response.request().headers()['x-relay-part'] === 'main');
    await browser.submit('form[action$="/test"] button');
    await refreshed();
    await scenario.publishEvents(eventsOf('loja', 2));
    await page.locator('td.answer').nth(2).waitFor({ timeout: 60_000 });
    expect(await browser.text('#test-result')).toContain('503');
    await browser.submit('form[action$="/suspend"] button');
    await refreshed();
    await refreshed();
    expect(await browser.text('#notice')).toContain('nothing is attempted');
  });

  test('is never shown what something else answers in the place of the gateway, and is told that it is away', async () => {
    const browser = await visit('en');
    const { page } = browser;
    await browser.logIn(API_KEY);
    const answer = { status: 502, headers: { etag: '"of-a-file"' }, body: '<h1>502 Bad Gateway</h1>' };
    await page.route('**/dashboard', (route) => route.fulfill(answer));
    await page.locator('#offline').waitFor({ state: 'visible', timeout: 60_000 });
    expect(await browser.text('main')).not.toContain('Bad Gateway');
    await page.unroute('**/dashboard');
    await page.locator('#offline').waitFor({ state: 'hidden', timeout: 60_000 });
  });

  test('looks at single jobs on the board, without help of another host', async () => {
    await set('loja', `${old.url}/v1`);
    await scenario.publishEvents(eventsOf('loja', 3));
    await old.received.count(2);
    const browser = await visit('en');
    const { page } = browser;
    await browser.logIn(API_KEY);
    await page.goto(new URL('/queues/queue/retry?status=delayed', page.url()).href);
    await browser.untilText('#root', 'messages.upsert');
    expect(browser.troubles).toEqual([]);
  });

  test('whose session is over is asked for the key, and comes back to the page', async () => {
    const browser = await visit('en');
    const { page } = browser;
    await browser.logIn(API_KEY);
    await page.goto(new URL('/dashboard/queues', page.url()).href);
    await browser.context.clearCookies();
    await page.waitForURL('**/dashboard/log-in?next=*');
    await browser.logIn(API_KEY);
    expect(new URL(page.url()).pathname).toBe('/dashboard/queues');
  });
});
