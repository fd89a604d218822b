import Fastify from 'fastify';
import { filterRoutes } from '../../../src/gateway/routes/filter-routes';
import { createGuards } from '../../../src/http-api/guards';
import { HttpError } from '../../../src/http-api/http-errors';
import type { Keys } from '../../../src/http-api/keys';
import { MODULES } from '../../../src/modules';
import type { SettingsEditor } from '../../../src/settings/settings-editor';
import { type Deferred, deferred } from '../../support/signals/signals';

test('an instance tries filters on two stored events at a time, as each may be as large as an event can be', async () => {
  const calls: Deferred<unknown>[] = [];
  const call = (): Promise<unknown> => {
    const one = deferred<unknown>();
    calls.push(one);
    return one.promise;
  };
  const keys: Pick<Keys, 'check'> = {
    check: async (_address, key) => (key === 'operator' ? 'all' : 'instance'),
  };
  const instances: Pick<SettingsEditor, 'find'> = { find: async () => undefined };
  const server = Fastify();
  server.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof HttpError ? error.status : 500).send({}),
  );
  const { config } = MODULES.loadConfig(__dirname, { AUTHENTICATION_API_KEY: 'operator-key-of-a-test' });
  filterRoutes(server, {
    ...{ modules: [], config, store: { call } },
    instances: instances as SettingsEditor,
    guards: createGuards(keys as Keys),
  });
  const ask = (instance: string, apikey = 'token'): Promise<number> =>
    server
      .inject({ method: 'POST', url: `/webhook/test-filter/${instance}`, headers: { apikey }, payload: {} })
      .then(({ statusCode }) => statusCode);
  const begun = [ask('loja'), ask('loja'), ask('casa'), ask('loja', 'operator')];
  while (calls.length < begun.length) await new Promise((resolve) => setImmediate(resolve));
  expect(await ask('loja')).toBe(429);
  for (const { resolve } of calls) resolve([]);
  expect(await Promise.all(begun)).toEqual([200, 200, 200, 200]);
  await server.close();
});
