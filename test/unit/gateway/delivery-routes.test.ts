import Fastify, { type FastifyInstance } from 'fastify';
import type { SearchResult } from '../../../src/delivery-log/delivery-log';
import { deliveryRoutes } from '../../../src/gateway/routes/delivery-routes';
import type { Guard, Guards } from '../../../src/http-api/guards';
import { HttpError } from '../../../src/http-api/http-errors';
import type { Access } from '../../../src/http-api/keys';
import { type Deferred, deferred } from '../../support/signals/signals';

const NOTHING: SearchResult = {
  deliveries: [],
  more: false,
  coverage: { since: 0, skipped: 0 },
};

let access: Access;
let searches: Deferred<SearchResult>[];
let server: FastifyInstance;

beforeEach(() => {
  access = 'instance';
  searches = [];
  const pass: Guard = async () => {};
  const guards: Guards = {
    ...{ operator: pass, instance: pass, instanceInQuery: pass, named: pass, owner: () => pass },
    accessOf: () => access,
  };
  server = Fastify();
  server.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof HttpError ? error.status : 500).send({}),
  );
  const search = (): Promise<SearchResult> => {
    const one = deferred<SearchResult>();
    searches.push(one);
    return one.promise;
  };
  deliveryRoutes(server, {
    log: { search, find: async () => undefined, body: async () => undefined },
    guards,
    kinds: [],
  });
});
afterEach(() => server.close());

const ask = (instance: string): Promise<number> =>
  server.inject(`/deliveries?instance=${instance}`).then(({ statusCode }) => statusCode);
const underWay = async (count: number): Promise<void> => {
  while (searches.length < count) await new Promise((resolve) => setImmediate(resolve));
};
const endAll = (): void => {
  for (const { resolve } of searches) resolve(NOTHING);
};

describe('searches of the delivery log', () => {
  test('of one instance are two at a time, so that none keeps Redis busy for all', async () => {
    const two = [ask('loja'), ask('loja')];
    await underWay(2);
    expect(await ask('loja')).toBe(429);
    const other = ask('outra');
    await underWay(3);
    endAll();
    expect(await Promise.all([...two, other])).toEqual([200, 200, 200]);
    const again = ask('loja');
    await underWay(4);
    endAll();
    expect(await again).toBe(200);
  });

  test('of all instances together are bounded, and leave the operator room', async () => {
    const held = [0, 0, 1, 1, 2, 2, 3, 3].map((instance) => ask(`loja-${instance}`));
    await underWay(8);
    expect(await ask('loja-4')).toBe(429);
    access = 'all';
    const own = ask('loja-4');
    await underWay(9);
    endAll();
    expect(new Set(await Promise.all([...held, own]))).toEqual(new Set([200]));
  });
});
