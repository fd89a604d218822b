import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspectCoreApi } from '../../../src/gateway/core-api-doctor';
import { MODULES } from '../../../src/modules';
import { folderWith } from '../../support/values/folders';

const folder = folderWith();
const NO_INSTANCE = JSON.stringify({
  ...{ status: 404, error: 'Not Found' },
  response: { message: ['Instance "x" not found'] },
});
const NO_ROUTE = JSON.stringify({
  ...{ status: 404, error: 'Not Found' },
  response: { message: ['Cannot GET /api/instance/fetchInstances?instanceName=x'] },
});
let answer: readonly [status: number, body: string] = [200, '[]'];
/** At the root. */
let front = '';
let core: Server;
let url: string;

beforeAll(async () => {
  core = createServer(({ url: path }, response) => {
    if (path === '/' && front !== '') response.end(front);
    else response.writeHead(answer[0]).end(answer[1]);
  });
  core.listen(0, '127.0.0.1');
  await once(core, 'listening');
  url = `http://127.0.0.1:${(core.address() as AddressInfo).port}`;
});
afterAll(async () => {
  folder.remove();
  core.closeAllConnections();
  core.close();
  await once(core, 'close');
});

const inspect = (environment: Readonly<Record<string, string>>) =>
  inspectCoreApi(MODULES.loadConfig(folder.path, { AUTHENTICATION_API_KEY: 'k', ...environment }).config);

describe('CORE_API_URL that leads elsewhere is found by doctor: the gateway would check no name, and say so to nobody', () => {
  test.each<[string, readonly [number, string], 'ok' | 'trouble', RegExp]>([
    ['a core without that instance', [404, NO_INSTANCE], 'ok', /which instances/],
    ['an old core', [200, '[]'], 'ok', /which instances/],
    ['a core with another key', [401, '{}'], 'trouble', /AUTHENTICATION_API_KEY must be the same/],
    [
      'a web page',
      [200, '<html>'],
      'trouble',
      /CORE_API_URL is a web page \(HTTP 200\), .* such as http:\/\/evolution-api:8080; until/,
    ],
    ['a web page of a proxy', [404, '<html>'], 'trouble', /is a web page \(HTTP 404\)/],
    ['a web page that refuses', [403, '<html>'], 'trouble', /is a web page \(HTTP 403\)/],
    ['another server', [404, '404 page not found'], 'trouble', /gives no JSON \(HTTP 404\)/],
    ['another API', [200, '{"data": []}'], 'trouble', /gives no list of instances \(HTTP 200\)/],
    ['a redirect', [301, ''], 'trouble', /redirects \(HTTP 301\)/],
    ['no such route', [404, NO_ROUTE], 'trouble', /has no route \/instance\/fetchInstances \(HTTP 404\)/],
    ['a proxy with a page', [503, '<html>'], 'trouble', /HTTP_503 .*does not serve.*proxy before it/],
    ['a proxy', [502, ''], 'trouble', /HTTP_502 .*CORE_API_URL does not serve.*proxy before it/],
  ])('%s', async (_what, given, state, detail) => {
    answer = given;
    const findings = await inspect({ CORE_API_URL: url });
    expect(findings).toEqual([
      { part: 'gateway', check: 'core API', state, detail: expect.stringMatching(detail) },
    ]);
  });

  test('a path that is too much is named', async () => {
    answer = [200, '<!doctype html>'];
    const [finding] = await inspect({ CORE_API_URL: `${url}/manager/` });
    expect(finding?.detail).toMatch(
      /is a web page .* such as http:\/\/evolution-api:8080, probably without \/manager;/,
    );
  });

  test('the gateway of a relay is no core API, although it answers like one', async () => {
    answer = [200, '[]'];
    front = JSON.stringify({ status: 200, clientName: 'evolution-relay' });
    const findings = await inspect({ CORE_API_URL: url });
    front = '';
    expect(findings).toMatchObject([
      { state: 'trouble', detail: expect.stringContaining('gateway of a relay') },
    ]);
  });

  test('what cannot be asked is said with the variable', async () => {
    const [finding] = await inspect({ CORE_API_URL: 'http://127.0.0.1:1' });
    expect(finding).toMatchObject({
      state: 'trouble',
      detail: expect.stringMatching(/^what is at CORE_API_URL cannot be asked: ECONNREFUSED nothing listens/),
    });
  });

  test('nothing is asked where it is not set', async () => {
    expect(await inspect({})).toEqual([]);
  });
});
