import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { browserProgram, launchBrowser } from '../support/clients/browser';
import { Feeder } from '../support/clients/websockets';
import { API_KEY, GatewayHarness } from '../support/harness/gateway-harness';

jest.setTimeout(90_000);

const BUNDLE = readFileSync(join(__dirname, '../../node_modules/socket.io/client-dist/socket.io.min.js'));
const instance = 'lója 商店';

/** What a page does that wants every event: reconnects by itself, after the last it saw. */
const PAGE = `<!doctype html><meta charset="utf-8"><script src="/socket.io.js"></script><script>
  const [port, key, instance] = JSON.parse(decodeURIComponent(location.hash.slice(1)));
  window.seen = { plain: [], io: [] };
  let last = '';
  const listen = () => {
    const query = new URLSearchParams({ apikey: key, instance, ...(last && { 'last-event-id': last }) });
    const socket = new WebSocket('ws://127.0.0.1:' + port + '/?' + query);
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      last = event.id ?? last;
      window.seen.plain.push(event);
    };
    socket.onopen = () => { window.plainOpen = true; };
    socket.onclose = () => { window.plainOpen = false; setTimeout(listen, 100); };
  };
  listen();
  let lastIo;
  const client = io('http://127.0.0.1:' + port + '/' + encodeURIComponent(instance), {
    auth: (give) => give({ apikey: key, ...(lastIo && { lastEventId: lastIo }) }),
    reconnectionDelay: 100, reconnectionDelayMax: 200,
  });
  client.onAny((name, event) => { lastIo = event.id ?? lastIo; window.seen.io.push({ name, ...event }); });
  window.client = client;
</script>`;

// Where no browser can be had, `npm test` has said so.
const test_ = browserProgram() === undefined ? test.skip : test;

test_(
  'a page in Chromium, plain and socket.io: receives, is cut when the gateway dies, and resumes by itself',
  async () => {
    const server = await servePage();
    const harness = await GatewayHarness.start({ WEBSOCKET_ENABLED: 'true' });
    const feeder = new Feeder(harness.connectRedis(), harness.prefix);
    let browser: Browser | undefined;
    try {
      browser = await launchBrowser(browserProgram());
      const page = await browser.newPage();
      const hash = encodeURIComponent(JSON.stringify([harness.gateway.gatewayPort, API_KEY, instance]));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/#${hash}`);
      await connected(page);
      const keys = await feeder.feed(instance, 5, { sender: 'Zoë 👋' });
      await received(page, 5);
      const { gatewayPort } = harness.gateway;
      await harness.gateway.kill();
      await page.waitForFunction('!window.plainOpen && !client.connected');
      keys.push(...(await feeder.feed(instance, 70)));
      await harness.startProcess({ GATEWAY_PORT: String(gatewayPort) });
      await connected(page);
      keys.push(...(await feeder.feed(instance, 5)));
      await received(page, 80);
      const seen = await page.evaluate<{ plain: PageEvent[]; io: PageEvent[] }>('window.seen');
      expect(seen.plain.map(({ data }) => data.key.id)).toEqual(keys);
      expect(seen.io.map(({ data }) => data.key.id)).toEqual(keys);
      expect(seen.plain[0]).toMatchObject({ event: 'messages.upsert', instance, sender: 'Zoë 👋' });
      expect(seen.io[0]).toMatchObject({ name: 'messages.upsert', instance });
    } finally {
      await browser?.close();
      feeder.close();
      await harness.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  },
);

interface PageEvent {
  readonly data: { readonly key: { readonly id: string } };
}

async function connected(page: Page): Promise<void> {
  await page.waitForFunction('window.plainOpen && client.connected', undefined, { timeout: 30_000 });
}

async function received(page: Page, count: number): Promise<void> {
  await page.waitForFunction(`seen.plain.length >= ${count} && seen.io.length >= ${count}`, undefined, {
    timeout: 30_000,
  });
}

async function servePage(): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/socket.io.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(isScript ? BUNDLE : PAGE);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
