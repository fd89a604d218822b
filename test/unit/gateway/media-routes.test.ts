import fastify, { type FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';
import { mediaRoutes } from '../../../src/gateway/routes/media-routes';
import { HttpError } from '../../../src/http-api/http-errors';
import { PIECE_BYTES } from '../../../src/references/pieces';
import { ReferenceReader } from '../../../src/references/reference-reader';
import { deferred } from '../../support/signals/signals';
import { storedMedia } from '../../support/values/stored-media';

const LENGTH = 3 * PIECE_BYTES;
const STORED = storedMedia({ mimetype: 'image/png', bytes: Buffer.alloc(LENGTH, 'ab') });

/** Pieces are read once the gate is open. */
class SlowRedis extends Redis {
  readonly asked: string[] = [];
  readonly gate = deferred();

  constructor() {
    super({ lazyConnect: true });
  }

  override async getrangeBuffer(key: string, start: number, end: number): Promise<Buffer> {
    this.asked.push(`${key} ${start / PIECE_BYTES}`);
    await this.gate.promise;
    return STORED.subarray(start, end + 1);
  }

  override async strlen(): Promise<number> {
    return STORED.length;
  }
}

describe('media behind a link', () => {
  let server: FastifyInstance;
  let redis: SlowRedis;

  beforeEach(() => {
    server = fastify();
    server.setErrorHandler((error, _request, reply) =>
      reply.code(error instanceof HttpError ? error.status : 500).send(),
    );
    redis = new SlowRedis();
    const reader = new ReferenceReader({ redis, prefix: 'p' });
    reader.faultOf = async () => undefined;
    mediaRoutes(server, reader);
  });
  afterEach(() => server.close());

  const ask = async (id: string, range = 'bytes=0-0'): Promise<number> =>
    (await server.inject({ url: `/media/${id}`, headers: { range } })).statusCode;

  test('is read once for all that ask for the same at the same time', async () => {
    const answers = Promise.all(Array.from({ length: 50 }, () => ask('media_a')));
    redis.gate.resolve();
    expect(new Set(await answers)).toEqual(new Set([206]));
    expect(redis.asked.length).toBeLessThanOrEqual(2);
  });

  test('little is read at once, and those for which no room is left are refused', async () => {
    const answers = Array.from({ length: 100 }, (_, number) => ask(`media_${number}`));
    expect(await Promise.race(answers)).toBe(429);
    expect(redis.asked).toHaveLength(4);
    redis.gate.resolve();
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 206)).toHaveLength(68);
  });

  test('is read piece by piece, and only what is asked for', async () => {
    redis.gate.resolve();
    expect(await ask('media_a', `bytes=${2 * PIECE_BYTES}-${2 * PIECE_BYTES}`)).toBe(206);
    expect(redis.asked).toEqual(['{p}:references:media:media_a 0', '{p}:references:media:media_a 2']);
    const whole = await server.inject({ url: '/media/media_a' });
    expect(whole.rawPayload.length).toBe(LENGTH);
    redis.asked.length = 0;
    const head = await server.inject({ method: 'HEAD', url: '/media/media_a' });
    expect([head.headers['content-length'], redis.asked.length]).toEqual([String(LENGTH), 1]);
  });
});
