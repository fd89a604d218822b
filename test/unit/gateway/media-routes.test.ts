import fastify, { type FastifyInstance } from 'fastify';
import { mediaRoutes } from '../../../src/gateway/routes/media-routes';
import { HttpError } from '../../../src/http-api/http-errors';
import { deferred } from '../../support/signals/signals';

describe('media behind a link', () => {
  let server: FastifyInstance;
  let read: string[];
  let gate = deferred<undefined>();

  beforeEach(() => {
    server = fastify();
    server.setErrorHandler((error, _request, reply) =>
      reply.code(error instanceof HttpError ? error.status : 500).send(),
    );
    read = [];
    gate = deferred();
    mediaRoutes(server, {
      faultOf: async () => undefined,
      read: (id: string) => {
        read.push(id);
        return gate.promise;
      },
    });
  });
  afterEach(() => server.close());

  const ask = async (id: string): Promise<number> =>
    (await server.inject({ url: `/media/${id}`, headers: { range: 'bytes=0-0' } })).statusCode;

  test('is read once for all that ask for it at the same time, whatever part of it they ask for', async () => {
    const answers = Promise.all(Array.from({ length: 50 }, () => ask('media_a')));
    gate.resolve(undefined);
    expect(new Set(await answers)).toEqual(new Set([404]));
    expect(read.length).toBeLessThanOrEqual(2);
  });

  test('few are read at once, and those for which no room is left are refused', async () => {
    const answers = Array.from({ length: 100 }, (_, number) => ask(`media_${number}`));
    expect(await Promise.race(answers)).toBe(429);
    expect(read).toHaveLength(4);
    gate.resolve(undefined);
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 404)).toHaveLength(68);
  });
});
