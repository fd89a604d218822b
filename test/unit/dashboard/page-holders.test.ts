import fastify, { type FastifyInstance } from 'fastify';
import { Assets } from '../../../src/dashboard/assets';
import { html } from '../../../src/dashboard/html';
import { Pages } from '../../../src/dashboard/pages';
import { SessionCookies } from '../../../src/dashboard/session-cookies';
import type { Viewer } from '../../../src/dashboard/viewer';
import { boundAnswers } from '../../../src/gateway/answer-budgets';
import { HttpError, send } from '../../../src/http-api/http-errors';
import { digest } from '../../../src/http-api/keys';

const LARGE = 'x'.repeat(100_000);
const cookies = new SessionCookies({
  ...{ apiKey: 'operator-key', readKey: 'read-key', tokenDigestOf: () => digest('token') },
  ended: { add: async () => {}, has: async () => false },
});
let server: FastifyInstance;
let assets: Assets;

beforeEach(async () => {
  server = fastify();
  // Strangers hold all that there is for them.
  boundAnswers(server, { inAll: 1, perHolder: 1_000_000 });
  server.setErrorHandler((error, _request, reply) =>
    error instanceof HttpError ? send(reply, error) : reply.code(500).send({}),
  );
  assets = new Assets();
  const pages = new Pages({
    ...{ assets, cookies, publicUrl: undefined, onAction: () => {} },
    errors: { isStoreReady: () => true, onUnexpected: () => {} },
  });
  await server.register(async (scope) => {
    pages.prepare(scope);
    assets.addTo(scope);
    const body = html`<p>${LARGE}</p>`;
    const show = async () => ({ title: 'page', body });
    pages.addScreen(scope, { path: '/dashboard', name: 'now', audience: 'everybody', show });
  });
  server.get('/open', async () => LARGE);
});
afterEach(() => server.close());

const viewers: readonly Viewer[] = [
  { kind: 'operator' },
  { kind: 'reader' },
  { kind: 'instance', instance: 'loja' },
];

test.each(viewers)('whoever is logged in gets pages whatever strangers leave unread: %j', async (viewer) => {
  const cookie = `${cookies.name}=${await cookies.begin(viewer)}`;
  const { statusCode } = await server.inject({ url: '/dashboard', headers: { cookie } });
  expect(statusCode).toBe(200);
  expect((await server.inject({ url: '/open' })).statusCode).toBe(429);
});

test('the files of the dashboard are there whatever strangers leave unread: in memory they are once for all', async () => {
  const { statusCode, payload } = await server.inject({ url: assets.pathOf('uplot.js') });
  expect(statusCode).toBe(200);
  expect(payload.length).toBeGreaterThan(4096);
});
