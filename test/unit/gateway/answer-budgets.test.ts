import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { boundAnswers, LARGE_ANSWER } from '../../../src/gateway/answer-budgets';
import { createGuards } from '../../../src/http-api/guards';
import { HttpError, send } from '../../../src/http-api/http-errors';
import type { Keys } from '../../../src/http-api/keys';
import { guardedFastify } from '../../../src/network/guarded-fastify';
import { eventually } from '../../support/signals/signals';

/** More than any kernel takes for a reader that does not read. */
const BYTES = 16_000_000;
const LARGE = 'x'.repeat(BYTES);
const LIMITS = { inAll: 3 * BYTES, perHolder: 2 * BYTES };
const LONG = Array.from({ length: 100 }, () => 'x'.repeat(65_536));
const STREAMS = { inAll: 5, perHolder: 3 };
/** Answered by one connection while none of them is read, behind one that never is. */
const PIPELINED = 15;

let server: FastifyInstance;
let sockets: Socket[];
let answers: number[];
/** Files, as it were, that are open. */
let open: Set<Readable>;

beforeEach(async () => {
  sockets = [];
  answers = [];
  open = new Set();
  server = guardedFastify({
    limits: { inAll: 1000, strangers: 1000, perAddress: 1000 },
    ...{ trustedProxies: ['127.0.0.1'], onRefused: () => {}, onError: () => {} },
  }).server;
  server.setErrorHandler((error, _request, reply) =>
    error instanceof HttpError ? send(reply, error) : reply.code(500).send({}),
  );
  const keys: Pick<Keys, 'check'> = {
    check: async (_address, key) => (key === 'operator' ? 'all' : 'instance'),
  };
  const guards = createGuards(keys as Keys);
  boundAnswers(server, LIMITS, STREAMS);
  server.addHook('onSend', async (_request, reply, payload) => {
    answers.push(reply.statusCode);
    return payload;
  });
  server.get('/large/:instance', { onRequest: guards.instance }, async (_request, reply) =>
    reply.header('cache-control', 'public, immutable').send(LARGE),
  );
  server.get('/larger/:instance', { onRequest: guards.instance }, async () => LARGE.repeat(4));
  server.get('/small/:instance', { onRequest: guards.instance }, async () => 'x'.repeat(LARGE_ANSWER - 1));
  server.get('/tiny/:instance', { onRequest: guards.instance }, async () => 'x'.repeat(1000));
  server.get('/open', async () => LARGE);
  server.get('/open-small', async () => 'x'.repeat(LARGE_ANSWER - 1));
  server.get('/file', (_request, reply) => reply.send(file(['x'])));
  server.get('/long-file', (_request, reply) => reply.send(file(LONG)));
  server.get('/file/:instance', { onRequest: guards.instance }, (_request, reply) => reply.send(file(['x'])));
  server.get('/long-file/:instance', { onRequest: guards.instance }, (_request, reply) =>
    reply.send(file(LONG)),
  );
  server.get('/never', () => new Promise(() => {}));
  await server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server.close();
});

function file(content: readonly string[]): Readable {
  const stream = Readable.from(content, { objectMode: false });
  open.add(stream);
  stream.once('close', () => open.delete(stream));
  return stream;
}

/** Asks, and reads nothing of the answer. */
function askWithoutReading(path: string, key = 'token', before = '', times = 1, header = ''): Socket {
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').pause();
  const question = `GET ${path} HTTP/1.1\r\nhost: relay\r\napikey: ${key}\r\n${header}\r\n`;
  socket.write(`${before}${question.repeat(times)}`);
  sockets.push(socket);
  return socket;
}
const statusOf = async (path: string, key = 'token'): Promise<number> =>
  (await server.inject({ url: path, headers: { apikey: key } })).statusCode;
const answered = (count: number) =>
  eventually(() => (answers.length >= count ? true : undefined), `${count} answers`);

const NEVER = 'GET /never HTTP/1.1\r\nhost: relay\r\n\r\n';

describe('answers below what is large that nobody reads', () => {
  test('are bounded for each instance, as one connection may ask for many and one token on all of them', async () => {
    const waiting = Array.from({ length: 10 }, () =>
      askWithoutReading('/small/loja', 'token', NEVER, PIPELINED),
    );
    await answered(10 * PIPELINED);
    const given = answers.filter((status) => status === 200).length;
    expect(given * (LARGE_ANSWER - 1)).toBeLessThanOrEqual(LIMITS.perHolder);
    expect(await statusOf('/small/loja')).toBe(429);
    expect(await statusOf('/tiny/loja')).toBe(200);
    expect(await statusOf('/small/loja', 'operator')).toBe(200);
    for (const socket of waiting) socket.destroy();
    await eventually(async () => ((await statusOf('/small/loja')) === 200 ? true : undefined), 'room again');
  });

  test('keep no other instance from its answers, and none from large ones, however many instances do that', async () => {
    const instances = Array.from({ length: 30 }, (_, number) => `loja-${number}`);
    for (const instance of instances) askWithoutReading(`/small/${instance}`, 'token', NEVER, PIPELINED);
    await answered(instances.length * PIPELINED);
    expect(answers.every((status) => status === 200)).toBe(true);
    expect(await statusOf('/small/casa')).toBe(200);
    expect(await statusOf('/large/loja-1')).toBe(200);
  });
});

describe('answers below what is large that nobody reads, without a key', () => {
  test('are bounded in all, however many addresses ask for them, and keep nobody who shows a key from any', async () => {
    const addresses = Array.from({ length: 30 }, (_, number) => `10.0.0.${number}`);
    for (const address of addresses)
      askWithoutReading(`/open-small`, '', NEVER, PIPELINED, `x-forwarded-for: ${address}\r\n`);
    await answered(addresses.length * PIPELINED);
    const given = answers.filter((status) => status === 200).length;
    expect(given * (LARGE_ANSWER - 1)).toBeLessThanOrEqual(LIMITS.inAll);
    expect(given * (LARGE_ANSWER - 1)).toBeGreaterThan(LIMITS.inAll / 2);
    expect(answers).toContain(429);
    // One more address, such as that of Prometheus.
    expect(await statusOf('/open-small', '')).toBe(200);
    expect(await statusOf('/small/loja')).toBe(200);
    expect(await statusOf('/large/loja')).toBe(200);
  });
});

describe('files that nobody reads', () => {
  test('are open a few at a time for each address and instance and in all, and are closed where they are refused', async () => {
    const waiting = [1, 2].map(() => askWithoutReading('/long-file', '', NEVER, PIPELINED));
    await answered(2 * PIPELINED);
    await eventually(() => (open.size === STREAMS.perHolder ? true : undefined), 'refused ones closed');
    expect(await statusOf('/file')).toBe(429);
    expect(await statusOf('/file/loja')).toBe(200);
    waiting.push(askWithoutReading('/long-file/loja', 'token', NEVER, PIPELINED));
    await answered(3 * PIPELINED + 2);
    await eventually(() => (open.size === STREAMS.inAll ? true : undefined), 'refused ones closed');
    expect(await statusOf('/file/casa')).toBe(429);
    expect(await statusOf('/file/casa', 'operator')).toBe(200);
    for (const socket of waiting) socket.destroy();
    await eventually(() => (open.size === 0 ? true : undefined), 'all closed');
    expect(await statusOf('/file')).toBe(200);
  });
});

describe('large answers that nobody reads', () => {
  test('are bounded for each instance and in all, and the operator is not held up', async () => {
    askWithoutReading('/large/loja');
    askWithoutReading('/large/loja');
    await answered(2);
    expect(await statusOf('/large/loja')).toBe(429);
    askWithoutReading('/large/casa');
    await answered(4);
    expect(await statusOf('/large/outra')).toBe(429);
    expect(await statusOf('/small/loja')).toBe(200);
    expect(await statusOf('/large/loja', 'operator')).toBe(200);
  });

  test('count until they are taken, or their connection ends', async () => {
    const [first, second] = [askWithoutReading('/large/loja'), askWithoutReading('/large/loja')];
    await answered(2);
    expect(await statusOf('/large/loja')).toBe(429);
    first.destroy();
    await eventually(async () => ((await statusOf('/large/loja')) === 200 ? true : undefined), 'room again');
    second.resume();
    await eventually(async () => {
      const both = await Promise.all([statusOf('/large/loja'), statusOf('/large/loja')]);
      return both.every((status) => status === 200) ? true : undefined;
    }, 'all room again');
  });

  test('count no longer than their connection lasts where they wait for others of it', async () => {
    const waiting = [1, 2].map(() => askWithoutReading('/large/loja', 'token', NEVER));
    await answered(2);
    expect(await statusOf('/large/loja')).toBe(429);
    for (const socket of waiting) socket.destroy();
    await eventually(async () => {
      const both = await Promise.all([statusOf('/large/loja'), statusOf('/large/loja')]);
      return both.every((status) => status === 200) ? true : undefined;
    }, 'all room again');
  });

  test('of strangers count for their address', async () => {
    askWithoutReading('/open');
    askWithoutReading('/open');
    await answered(2);
    expect(await statusOf('/open')).toBe(429);
    expect(await statusOf('/large/loja')).toBe(200);
  });

  test('that are larger than all that one may hold are given one at a time', async () => {
    askWithoutReading('/larger/loja');
    await answered(1);
    expect(await statusOf('/large/loja')).toBe(429);
  });

  test('that are refused leave the connection, say when to ask again and are not kept', async () => {
    askWithoutReading('/larger/loja');
    await answered(1);
    const { port } = server.server.address() as AddressInfo;
    const { get } = await import('node:http');
    const request = get({ port, path: '/large/loja', headers: { apikey: 'token' } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    expect(response.statusCode).toBe(429);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(response.headers['cache-control']).toBe('no-store');
    request.destroy();
  });
});
