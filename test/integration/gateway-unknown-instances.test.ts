import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { API_KEY, errorShape, GatewayHarness } from '../support/harness/gateway-harness';

/** The core API, as far as it says which instances it has. */
let core: Server;
let isAway = false;
const asked: (string | undefined)[] = [];
beforeAll(async () => {
  core = createServer((request, response) => {
    asked.push(request.headers['apikey'] as string | undefined);
    const { searchParams, pathname } = new URL(request.url ?? '', 'http://core.test');
    const isKnown = pathname === '/instance/fetchInstances' && searchParams.get('instanceName') === 'loja';
    response.statusCode = isAway ? 503 : isKnown ? 200 : 404;
    response.end(JSON.stringify(isKnown ? [{ name: 'loja' }] : { status: 404 }));
  }).listen(0, '127.0.0.1');
  await once(core, 'listening');
});
afterAll(() => {
  core.closeAllConnections();
  core.close();
});

const WEBSOCKET = { websocket: { enabled: true, events: ['CALL'] } };

describe('an instance that there is not (finding 6.12)', () => {
  test('is 404 on set and find, where the core API says which there are', async () => {
    const url = `http://127.0.0.1:${(core.address() as AddressInfo).port}`;
    const harness = await GatewayHarness.start({ CORE_API_URL: url });
    try {
      const refused = errorShape(404, 'Not Found', ['The "nobody" instance does not exist']);
      const set = await harness.ask('POST', '/websocket/set/nobody', { body: WEBSOCKET });
      const found = await harness.ask('GET', '/webhook/find/nobody');
      expect([set.status, set.body, found.status, found.body]).toEqual([404, refused, 404, refused]);
      for (const [path, body] of [
        ['/webhook/set/nobody/n8n', { webhook: { url: 'https://example.com/' } }],
        ['/settings/set/nobody', WEBSOCKET],
      ] as const)
        expect(await harness.ask('POST', path, { body })).toMatchObject({ status: 404, body: refused });
      // Its key is checked first: strangers learn nothing of names.
      expect((await harness.ask('GET', '/webhook/find/nobody', { key: 'wrong' })).status).toBe(401);
      const known = await harness.ask('POST', '/websocket/set/loja', { body: WEBSOCKET });
      expect([known.status, JSON.stringify(known.body)]).toEqual([
        201,
        expect.not.stringContaining('check its name'),
      ]);
      expect((await harness.ask('GET', '/webhook/find/loja')).text).toBe('null');
      expect(new Set(asked)).toEqual(new Set([API_KEY]));
      isAway = true;
      const unsure = await harness.ask('POST', '/websocket/set/other', { body: WEBSOCKET });
      expect([unsure.status, unsure.text]).toEqual([201, expect.stringContaining('check its name')]);
    } finally {
      await harness.close();
    }
  });

  test('is a warning the first time, where nobody says', async () => {
    const harness = await GatewayHarness.start();
    try {
      const ask = () => harness.ask('POST', '/websocket/set/loja', { body: WEBSOCKET });
      expect((await ask()).text).toMatch(/loja.*CORE_API_URL.*check its name/);
      expect((await ask()).text).not.toContain('check its name');
      const named = { body: { webhook: { url: 'https://example.com/' } } };
      expect((await harness.ask('POST', '/webhook/set/norte/n8n', named)).text).toContain('check its name');
      expect((await harness.ask('POST', '/settings/set/sul', { body: WEBSOCKET })).text).toContain(
        'check its name',
      );
    } finally {
      await harness.close();
    }
  });
});
