import Fastify, { type FastifyInstance } from 'fastify';
import type { LoggedDelivery, SearchResult } from '../../../src/delivery-log/delivery-log';
import { globalId } from '../../../src/destinations/destination-ids';
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

const DELIVERY: LoggedDelivery = {
  ...{
    id: 'dlv_1',
    destination: globalId('webhook'),
    instance: 'loja',
    event: 'call',
    message: '',
    chat: '',
  },
  ...{ outcome: 'parked', reason: '', at: 1, bytes: 2, records: [], bodyIn: undefined },
};

let access: Access;
let bodies: Deferred<Buffer>[];
let searches: Deferred<SearchResult>[];
let server: FastifyInstance;

beforeEach(() => {
  access = 'instance';
  searches = [];
  bodies = [];
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
  const body = (): Promise<Buffer> => {
    const one = deferred<Buffer>();
    bodies.push(one);
    return one.promise;
  };
  deliveryRoutes(server, {
    log: { search, find: async () => DELIVERY, body },
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

test('bodies of one instance are read two at a time, as each may be as large as an event can be', async () => {
  const show = (): Promise<number> =>
    server.inject('/deliveries/dlv_1?instance=loja').then(({ statusCode }) => statusCode);
  const two = [show(), show()];
  while (bodies.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await show()).toBe(429);
  for (const { resolve } of bodies) resolve(Buffer.from('{}'));
  expect(await Promise.all(two)).toEqual([200, 200]);
});
