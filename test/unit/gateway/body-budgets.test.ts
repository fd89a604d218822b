import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { boundBodies, STRANGERS_BODIES } from '../../../src/gateway/body-budgets';
import { createGuards } from '../../../src/http-api/guards';
import { HttpError } from '../../../src/http-api/http-errors';
import type { Keys } from '../../../src/http-api/keys';
import { SharedBudget } from '../../../src/network/shared-budget';
import { eventually } from '../../support/signals/signals';

const MEGABYTE = { text: 'x'.repeat(1_000_000) };

let server: FastifyInstance;
let strangers: SharedBudget;

beforeEach(() => {
  server = Fastify();
  server.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof HttpError ? error.status : 500).send({}),
  );
  const keys: Pick<Keys, 'check'> = {
    check: async (_address, key) => (key === 'operator' ? 'all' : 'instance'),
  };
  const { instance } = createGuards(keys as Keys);
  strangers = new SharedBudget(STRANGERS_BODIES);
  boundBodies(server, strangers);
  server.post('/known/:instance', { onRequest: instance }, async () => ({}));
  server.post('/open', async () => ({}));
});
afterEach(() => server.close());

describe('what bodies take', () => {
  test.each(['operator', 'token'])(
    'ends with each request that the dashboard makes for a form (%s): after some forms nobody could set anything',
    async (apikey) => {
      for (let count = 0; count < 70; count++) {
        const answer = await server.inject({
          ...{ method: 'POST', url: '/known/loja', headers: { apikey }, payload: MEGABYTE },
        });
        expect([count, answer.statusCode]).toEqual([count, 200]);
      }
    },
  );

  test('lasts while a body comes, and ends with its connection', async () => {
    await server.listen({ host: '127.0.0.1', port: 0 });
    const { port } = server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST /open HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    await eventually(() => (strangers.taken === 9 ? true : undefined), 'the body counts');
    socket.destroy();
    await once(socket, 'close');
    await eventually(() => (strangers.taken === 0 ? true : undefined), 'it counts no more');
  });
});
