import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { browserProgram, launchBrowser } from './browser';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** A person with a browser at the dashboard, who notices whatever goes wrong there. */
export class DashboardBrowser {
  /** Errors and warnings of the console, of scripts and of the policy, and every dialog. */
  readonly troubles: string[] = [];
  /** Paths that were asked for by the page's script. */
  readonly asked: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.troubles.push(message.text());
    });
    page.on('pageerror', (error) => this.troubles.push(String(error)));
    page.on('dialog', (dialog) => {
      this.troubles.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.resourceType() === 'fetch') this.asked.push(new URL(request.url()).pathname);
      if (new URL(request.url()).origin !== new URL(this.url).origin)
        this.troubles.push(`asked ${request.url()}`);
    });
  }

  private url = '';

  static async open(url: string, locale: string): Promise<DashboardBrowser> {
    const browser = await launchBrowser(browserProgram());
    const context = await browser.newContext({ locale, viewport: { width: 1200, height: 800 } });
    const opened = new DashboardBrowser(browser, context, await context.newPage());
    opened.url = url;
    await opened.page.goto(url);
    return opened;
  }

  async logIn(key: string): Promise<void> {
    await this.page.fill('#key', key);
    await this.page.click('.log-in button');
    await this.page.waitForSelector('main[data-live]');
  }

  /** Sends a form, and waits for the page that answers it. */
  async submit(selector: string): Promise<void> {
    await Promise.all([this.page.waitForNavigation(), this.page.click(selector)]);
  }

  async text(selector: string): Promise<string> {
    return (await this.page.textContent(selector)) ?? '';
  }

  /** The element has this text, by itself: nobody reloads the page. */
  async untilText(selector: string, text: string): Promise<void> {
    // Not by a script of its own: the page's policy would not let it run.
    await this.page
      .locator(selector, { hasText: text })
      .first()
      .waitFor({ state: 'attached', timeout: 60_000 });
  }

  /** What axe-core finds on the page as it is. */
  async accessibilityProblems(): Promise<string[]> {
    await this.page.evaluate(AXE);
    const { violations } = await this.page.evaluate<AxeResult>('axe.run(document)');
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  /** As where another tab is in front. */
  async hide(isHidden: boolean): Promise<void> {
    await this.page.evaluate(
      `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
       document.dispatchEvent(new Event('visibilitychange'))`,
    );
  }

  close(): Promise<void> {
    return this.browser.close();
  }
}
