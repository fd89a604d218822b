import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { IllegalOperationError } from 'amqplib';
import { errors as undiciErrors } from 'undici';
import { errorText, explainError, StoreUnavailableError } from '../../src/errors';
import { RelayRedis } from '../../src/redis/relay-redis';
import { amqpText, asUnavailable } from '../../src/sources/rabbitmq/amqp-text';

const LIBRARY_TEXT = 'a text of the library';

describe('what Node.js and undici call by a code is told in words of ours', () => {
  test('every error of undici', () => {
    for (const [name, Kind] of Object.entries(undiciErrors)) {
      const error: unknown = Reflect.construct(Kind as new () => Error, [LIBRARY_TEXT, 'UND_ERR_TEST', {}]);
      if (!(error instanceof Error) || error.message === '') continue;
      expect([name, errorText(error)]).not.toEqual([name, error.message]);
    }
  });

  test('every error of the operating system', () => {
    for (const [code] of getSystemErrorMap().values()) {
      const error = Object.assign(new Error(LIBRARY_TEXT), { code, syscall: 'connect' });
      expect(explainError(error)).toMatch(new RegExp(`^${code} (?!${LIBRARY_TEXT})`));
    }
  });

  test('a request that is given up after a while', async () => {
    const { signal } = new AbortController();
    const ended = AbortSignal.any([signal, AbortSignal.timeout(1)]);
    await new Promise((resolve) => ended.addEventListener('abort', resolve));
    expect(explainError(ended.reason)).toBe('TIMEOUT it did not answer in time');
    expect(explainError('a text')).toBe('UNKNOWN a text');
  });

  test('the address stands behind it', () => {
    const error = Object.assign(new Error(LIBRARY_TEXT), { code: 'ECONNREFUSED', address: '::1', port: 81 });
    expect(errorText(error)).toBe('nothing listens there, or it refuses connections (::1 port 81)');
  });
});

describe('a command to Redis that ioredis fails without a code', () => {
  let server: Server;
  const sockets: Socket[] = [];
  const clients: RelayRedis[] = [];
  /** Before, the client greets the server. */
  let isAsked = false;

  async function clientOf(answer: (socket: Socket) => void, options = {}): Promise<RelayRedis> {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('data', (data) => {
        if (!isAsked) socket.write('+OK\r\n'.repeat(data.toString().match(/^\*/gm)?.length ?? 0));
        else answer(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const redis = new RelayRedis({
      port: (server.address() as AddressInfo).port,
      host: '127.0.0.1',
      enableOfflineQueue: false,
      enableReadyCheck: false,
      protocol: 2,
      disableClientInfo: true,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
      retryStrategy: () => null,
      ...options,
    });
    redis.on('error', () => {});
    clients.push(redis);
    return redis;
  }

  afterEach(() => {
    for (const client of clients.splice(0)) client.disconnect();
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
    isAsked = false;
  });

  test('is told as one that was not sent', async () => {
    const redis = await clientOf(() => {});
    const asked = redis.get('key');
    await expect(asked).rejects.toEqual(new StoreUnavailableError('there is no connection to Redis'));
    await expect(asked).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  test('is told as one whose connection ended', async () => {
    const redis = await clientOf((socket) => socket.destroy());
    await redis.connect();
    isAsked = true;
    await expect(redis.get('key')).rejects.toEqual(
      new StoreUnavailableError('the connection to Redis ended before it answered'),
    );
  });

  test('is told as one that was not answered in time', async () => {
    const redis = await clientOf(() => {}, { commandTimeout: 20 });
    await redis.connect();
    isAsked = true;
    await expect(redis.get('key')).rejects.toEqual(
      new StoreUnavailableError('Redis has not answered in time'),
    );
  });

  test('within a pipeline, too', async () => {
    const redis = await clientOf((socket) => socket.destroy());
    await redis.connect();
    isAsked = true;
    const replies = await redis.pipeline().get('a').get('b').exec();
    for (const [error] of replies ?? []) expect(error).toBeInstanceOf(StoreUnavailableError);
  });

  test('keeps what Redis answered', async () => {
    const redis = await clientOf((socket) => socket.write('-NOPERM no such luck\r\n'));
    await redis.connect();
    isAsked = true;
    await expect(redis.get('key')).rejects.toThrow('NOPERM no such luck');
  });
});

describe('an error of amqplib, which has no code', () => {
  test("holds the broker's words where it has said why", () => {
    const text = 'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - no"';
    const refused = new Error(text);
    expect(explainError(asUnavailable(refused, 'amqp://localhost'))).toBe(
      'BROKER_UNAVAILABLE the broker refuses the connection: ACCESS_REFUSED - no',
    );
    expect(amqpText(refused)).toBe('the broker says: ACCESS_REFUSED - no');
  });

  test.each([
    [new Error('Heartbeat timeout'), 'the connection to the broker ended'],
    [new Error('Unexpected close'), 'the connection to the broker ended'],
    [new IllegalOperationError('Channel ended, no reply will be forthcoming', ''), 'the channel is closed'],
  ])('%s is told in words of ours', (error, text) => {
    expect(amqpText(error)).toBe(text);
  });
});
