import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspectCoreApi } from '../../../src/gateway/core-api-doctor';
import { MODULES } from '../../../src/modules';
import { folderWith } from '../../support/values/folders';

const folder = folderWith();
let answer: readonly [status: number, body: string] = [200, '[]'];
let core: Server;
let url: string;

beforeAll(async () => {
  core = createServer((_request, response) => response.writeHead(answer[0]).end(answer[1]));
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
    ['a core without that instance', [404, '{}'], 'ok', /which instances/],
    ['an old core', [200, '[]'], 'ok', /which instances/],
    ['a core with another key', [401, '{}'], 'trouble', /AUTHENTICATION_API_KEY must be the same/],
    ['a web page', [200, '<html>'], 'trouble', /CORE_API_URL is not the core API/],
    ['a proxy', [502, ''], 'trouble', /HTTP_502 .*CORE_API_URL/],
  ])('%s', async (_what, given, state, detail) => {
    answer = given;
    const findings = await inspect({ CORE_API_URL: url });
    expect(findings).toEqual([
      { part: 'gateway', check: 'core API', state, detail: expect.stringMatching(detail) },
    ]);
  });

  test('nothing is asked where it is not set', async () => {
    expect(await inspect({})).toEqual([]);
  });
});
