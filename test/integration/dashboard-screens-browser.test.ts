import type { Language } from '../../src/dashboard/language';
import { deadLetterTexts } from '../../src/dashboard/texts/dead-letter-texts';
import { deliveryTexts } from '../../src/dashboard/texts/delivery-texts';
import { oneDestinationTexts } from '../../src/dashboard/texts/one-destination-texts';
import { settingsFormTexts } from '../../src/dashboard/texts/settings-form-texts';
import { browserProgram } from '../support/clients/browser';
import { DashboardBrowser } from '../support/clients/dashboard-browser';
import { messageEvents, type OutgoingEvent } from '../support/clients/publisher';
import { API_KEY, ask } from '../support/harness/gateway-harness';
import { Scenario } from '../support/harness/scenario';
import type { RelayProcess } from '../support/processes/relay';
import { HttpTarget, respond } from '../support/servers/http-target';

jest.setTimeout(300_000);

// Where no browser can be had, `npm test` has said so.
const describe_ = browserProgram() === undefined ? describe.skip : describe;

const EVIL = '<script>alert(1)</script>';
const REFUSAL = 'unknown tenant <img src=x onerror=alert(3)>';

let scenario: Scenario;
let relay: RelayProcess;
let target: HttpTarget;
let refusing: HttpTarget;
let person: DashboardBrowser | undefined;

beforeEach(async () => {
  [target, refusing] = await Promise.all([HttpTarget.start(), HttpTarget.start()]);
  refusing.answer = respond(400, {}, REFUSAL);
  scenario = await Scenario.start({
    env: {
      AUTHENTICATION_API_KEY: API_KEY,
      WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
      DELIVERY_LOG_BODIES: 'true',
    },
  });
  relay = await scenario.startBoth();
});
afterEach(async () => {
  await person?.close();
  person = undefined;
  await scenario.close();
  await Promise.all([target.stop(), refusing.stop()]);
});

const set = async (instance: string, url: string): Promise<void> => {
  const path = `/webhook/set/${encodeURIComponent(instance)}`;
  const body = { webhook: { enabled: true, url, events: [] } };
  expect((await ask(relay.gatewayPort, 'POST', path, { body })).status).toBe(201);
};

/** Events of one instance. */
function eventsOf(instance: string, name: string, count: number): OutgoingEvent[] {
  return messageEvents(name, count).map((event) => ({
    ...event,
    body: () => Buffer.from(JSON.stringify({ ...JSON.parse(event.body().toString()), instance })),
  }));
}

const visit = async (locale: string): Promise<DashboardBrowser> => {
  person = await DashboardBrowser.open(`http://127.0.0.1:${relay.gatewayPort}/`, locale);
  await person.logIn(API_KEY);
  return person;
};

describe_('a person at the dashboard', () => {
  test.each<Language>(['en', 'pt-BR'])(
    'in %s watches events come, finds one, reads what happened, replays it, and removes what was given up on',
    async (language) => {
      await set('loja', `${target.url}/v1`);
      await set(EVIL, `${refusing.url}/v1`);
      const browser = await visit(language);
      const { page } = browser;
      await browser.submit('nav a[href="/dashboard/tail"]');
      expect(await browser.accessibilityProblems()).toEqual([]);
      await scenario.publishEvents(eventsOf('loja', 'good', 2));
      await scenario.publishEvents(eventsOf(EVIL, 'bad', 5));

      // Nobody reloads the page.
      await browser.untilText('#tail', 'loja');
      await browser.untilText('#tail', EVIL);
      expect(await browser.accessibilityProblems()).toEqual([]);

      await browser.submit('nav a[href="/dashboard/deliveries"]');
      await page.fill('#instance', 'loja');
      await page.fill('#destination', 'webhook:instance/loja');
      await page.selectOption('#outcome', 'delivered');
      await browser.submit('.search button');
      await browser.untilText('table.rows', 'loja · webhook');
      expect(new URL(page.url()).searchParams.get('instance')).toBe('loja');
      expect(await browser.accessibilityProblems()).toEqual([]);
      await browser.submit('tbody th a');
      await browser.untilText('#outcome-now', oneDestinationTexts[language].outcomes.delivered);
      await page.click('#curl summary');
      expect(await browser.text('#curl-command')).toContain(`${target.url}/v1`);
      await page.click('#curl button[data-copy]');
      expect(await browser.accessibilityProblems()).toEqual([]);
      const id = decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1) ?? '');
      await browser.submit('#replay-one button');
      await browser.untilText('.replays .badge.done', oneDestinationTexts[language].replayStates.done);
      await target.received.count(3, 60_000);
      const ids = target.received.all.map(({ headers }) => headers['webhook-id']);
      expect(ids.filter((each) => each === id)).toHaveLength(2);

      await page.goto(new URL('/dashboard/deliveries?message=NOWHERE', page.url()).href);
      await browser.untilText('#not-seen', deliveryTexts[language].noneSkipped);

      await browser.submit('nav a[href="/dashboard/dead-letters"]');
      await browser.untilText('#groups', deadLetterTexts[language].reasons.rejected);
      expect(await browser.accessibilityProblems()).toEqual([]);
      await browser.submit('#groups tbody th a');
      await browser.submit('#remove-all');
      await browser.untilText('#preview', deadLetterTexts[language].confirmRemove('5'));
      expect(await browser.accessibilityProblems()).toEqual([]);
      await browser.submit('#confirm button');
      await browser.untilText('#no-letters', deadLetterTexts[language].none);
      await browser.untilText('#jobs .badge.done', oneDestinationTexts[language].replayStates.done);
      expect(await browser.accessibilityProblems()).toEqual([]);
      expect(await page.locator('main script, main img, main [onclick], main [onerror]').count()).toBe(0);
      expect(browser.troubles.filter((each) => !each.includes('clipboard'))).toEqual([]);
    },
  );

  test('sets a webhook by its form: is told which field is wrong, tries the filter, and saves', async () => {
    await set('loja', `${target.url}/v1`);
    await scenario.publishEvents(eventsOf('loja', 'shop', 3));
    await target.received.count(3);
    const browser = await visit('en');
    const { page } = browser;
    await browser.submit('nav a[href="/dashboard/instances"]');
    await browser.untilText('table.rows', 'loja');
    expect(await browser.accessibilityProblems()).toEqual([]);
    await browser.submit('tbody th a');
    expect(await browser.accessibilityProblems()).toEqual([]);

    await page.fill('#url', 'nonsense');
    await page.selectOption('#groups', 'not');
    await browser.submit('#save');
    await browser.untilText('#refused', 'webhook.url');
    expect(await page.getAttribute('#url', 'aria-invalid')).toBe('true');
    expect([await page.inputValue('#url'), await page.inputValue('#groups')]).toEqual(['nonsense', 'not']);
    expect(await browser.accessibilityProblems()).toEqual([]);

    await page.fill('#url', `${target.url}/v2`);
    await page.selectOption('#fromMe', 'only');
    await browser.submit('#try');
    await browser.untilText('#trial', settingsFormTexts.en.tried('0', '3'));
    expect(await browser.accessibilityProblems()).toEqual([]);

    await page.selectOption('#fromMe', '');
    await page.uncheck('input[name=events][value=CALL]');
    await browser.submit('#save');
    await browser.untilText('.notice', settingsFormTexts.en.saved);
    await browser.untilText('h1', 'loja');
    expect(await page.isChecked('input[name=events][value=CALL]')).toBe(false);
    const { body } = await ask(relay.gatewayPort, 'GET', '/webhook/find/loja');
    expect(body).toMatchObject({ url: `${target.url}/v2`, groups: false });
    // The browser says so of each answer that refuses something.
    expect(browser.troubles.filter((each) => !each.includes('status of 400'))).toEqual([]);

    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: 'dark' });
    for (const path of [
      '/dashboard/deliveries',
      '/dashboard/instances/one?instance=loja',
      '/dashboard/tail',
    ]) {
      await page.goto(new URL(path, page.url()).href);
      expect(await browser.accessibilityProblems()).toEqual([]);
      const isTooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
      expect([path, await page.evaluate(isTooWide)]).toEqual([path, false]);
    }
  });

  test('sets a further section by its form: every field by its name, on a phone, too', async () => {
    await set('loja', `${target.url}/v1`);
    const browser = await visit('pt-BR');
    const { page } = browser;
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(new URL('/dashboard/instances/one?instance=loja', page.url()).href);
    expect(await browser.accessibilityProblems()).toEqual([]);
    const cut =
      "[...document.querySelectorAll('dd')].filter((each) => each.scrollWidth > each.clientWidth).length";
    expect(await page.evaluate(cut)).toBe(0);
    await browser.submit('#sections a[href*="section=pusher"]');
    expect(await browser.accessibilityProblems()).toEqual([]);
    await page.fill('#appId', '42');
    await page.fill('#key', 'key');
    await page.fill('#secret', 's3cr3t');
    await page.fill('#port', 'eighty');
    await browser.submit('#save');
    await browser.untilText('#refused', `pusher.port: ${settingsFormTexts['pt-BR'].noNumber}`);
    expect(await page.getAttribute('#port', 'aria-invalid')).toBe('true');
    expect(await browser.accessibilityProblems()).toEqual([]);
    await page.fill('#port', '');
    await page.fill('#cluster', 'us2');
    await browser.submit('#save');
    await browser.untilText('#notice', settingsFormTexts['pt-BR'].saved);
    expect(await browser.accessibilityProblems()).toEqual([]);
    const isTooWide = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await page.evaluate(isTooWide)).toBe(false);
    const { body } = await ask(relay.gatewayPort, 'GET', '/pusher/find/loja');
    expect(body).toMatchObject({ appId: '42', key: 'key', cluster: 'us2' });
    await browser.submit('form[action="/dashboard/log-out"] button');
    expect(browser.troubles.filter((each) => !each.includes('status of 400'))).toEqual([]);
  });
});
