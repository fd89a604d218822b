import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConnectionLimitsOptions } from '../../../src/network/connection-limits';
import { GuardedServer, recognise } from '../../../src/network/guarded-server';
import { RawConnection } from '../../support/clients/raw-connection';
import { deferred, eventually } from '../../support/signals/signals';

const LIMITS: ConnectionLimitsOptions = { inAll: 8, strangers: 6, perAddress: 4 };
const GET = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

const servers: GuardedServer[] = [];
const connections: RawConnection[] = [];
const errors: unknown[] = [];

async function listen(
  listener: RequestListener,
  limits = LIMITS,
  trustedProxies: string[] = [],
): Promise<number> {
  const parts = {
    limits,
    trustedProxies,
    onRefused: () => {},
    onError: (error: unknown) => errors.push(error),
  };
  const server = new GuardedServer(parts, listener);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function open(port: number): RawConnection {
  const connection = new RawConnection(port);
  connections.push(connection);
  return connection;
}

afterEach(async () => {
  errors.length = 0;
  for (const connection of connections.splice(0)) connection.destroy();
  for (const server of servers.splice(0)) {
    server.destroyAll();
    server.close();
    await once(server, 'close');
  }
});

it('a listener that throws ends its connection, not the process (finding 4.1)', async () => {
  const port = await listen((request, response) => {
    if (request.url === '/') throw new Error('thrown');
    response.end('ok');
  });
  const bad = open(port);
  await bad.send(GET);
  await bad.untilClosed();
  expect(errors).toEqual([new Error('thrown')]);
  const good = open(port);
  await good.send('GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect(await good.untilClosed()).toMatch(/ok$/);
});

it('a socket that was upgraded and is reset later disturbs nobody, whoever listens for upgrades (finding 4.1)', async () => {
  const port = await listen((_request, response) => response.end('ok'));
  const upgraded = deferred<{ resetSeen: Promise<unknown> }>();
  servers.at(-1)?.on('upgrade', (_request, socket) => {
    // As a careless library would: no listener for errors.
    upgraded.resolve({ resetSeen: new Promise((resolve) => socket.once('close', resolve)) });
  });
  const connection = open(port);
  await connection.send('GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  const { resetSeen } = await upgraded.promise;
  connection.reset();
  await resetSeen;
  const good = open(port);
  await good.send('GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect(await good.untilClosed()).toMatch(/ok$/);
});

it('an offer of HTTP/2 is ignored, again and again on one connection', async () => {
  const port = await listen((request, response) => response.end(`answer to ${request.url}`));
  servers.at(-1)?.on('upgrade', (_request, socket) => socket.destroy());
  const connection = open(port);
  for (let index = 0; index < 20; index++) {
    await connection.send(`GET /${index} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n`);
    await eventually(
      () => connection.received.includes(`answer to /${index}`) || undefined,
      `answer ${index}`,
    );
  }
});

it('thousands of pipelined requests end their connection before they are answered', async () => {
  let asked = 0;
  const port = await listen(() => asked++);
  const connection = open(port);
  await connection.send(GET.repeat(10_000));
  await connection.untilClosed();
  expect(asked).toBeLessThanOrEqual(16);
});

it('pipelined requests that are answered as they come are all answered', async () => {
  const port = await listen((_request, response) => response.end('ok'));
  const connection = open(port);
  await connection.send(GET.repeat(16));
  await eventually(() => connection.received.split('ok').length === 17 || undefined, '16 answers');
});

it('answers that wait for others of their connection end with it, as what they hold would be held for ever', async () => {
  const asked: string[] = [];
  const closed: string[] = [];
  const late = deferred<() => void>();
  const port = await listen((request, response) => {
    const { url = '' } = request;
    asked.push(url);
    response.once('close', () => closed.push(url));
    if (url === '/done') response.end('ok');
    if (url === '/late') late.resolve(() => response.end('ok'));
  });
  const connection = open(port);
  await connection.send(['/first', '/done', '/late'].map((path) => GET.replace('/', path)).join(''));
  await eventually(() => asked.length === 3 || undefined, 'all are asked for');
  connection.destroy();
  await eventually(() => closed.length === 3 || undefined, 'all are closed');
  (await late.promise)();
  expect(closed.sort()).toEqual(['/done', '/first', '/late']);
  expect(errors).toEqual([]);
});

it('silent connections give way to one that asks something (finding 4.2)', async () => {
  const port = await listen((_request, response) => response.end('ok'));
  for (let index = 0; index < 50; index++) open(port);
  const connection = open(port);
  await connection.send('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  expect(await connection.untilClosed()).toMatch(/ok$/);
  await eventually(
    () => (servers.at(-1)?.openConnections ?? 9) <= LIMITS.perAddress || undefined,
    'few left',
  );
});

it('one address cannot take the places of others with requests that it leaves open', async () => {
  const waiting: (() => void)[] = [];
  const port = await listen((_request, response) => waiting.push(() => response.end('ok')));
  const busy = Array.from({ length: 10 }, () => open(port));
  for (const connection of busy) await connection.send(GET);
  await eventually(() => waiting.length >= LIMITS.perAddress || undefined, 'as many as may');
  const refused = open(port);
  await refused.send(GET);
  await refused.untilClosed();
  expect(waiting.length).toBe(LIMITS.perAddress);
});

it('connections that showed a key leave the strangers’ places', async () => {
  const port = await listen((request) => recognise(request.socket));
  const known = Array.from({ length: LIMITS.inAll }, () => open(port));
  for (const connection of known) await connection.send(GET);
  await eventually(() => servers.at(-1)?.openConnections === LIMITS.inAll || undefined, 'all of them');
});

it('a client whose proxy has too many requests of it under way is answered with 429', async () => {
  const port = await listen(() => {}, LIMITS, ['127.0.0.1']);
  const clients = Array.from({ length: LIMITS.perAddress + 1 }, () => open(port));
  for (const [index, client] of clients.entries()) {
    await client.send(`GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 2001:db8::${index}\r\n\r\n`);
  }
  const refused = await Promise.race(clients.map((client) => client.closed.then(() => client.received)));
  expect(refused).toMatch(/^HTTP\/1\.1 429 /);
});

it('what follows one request too many in a chunk is not even parsed (finding 4.2)', async () => {
  const port = await listen(() => {});
  const emit = jest.spyOn(servers.at(-1) as GuardedServer, 'emit');
  const greedy = open(port);
  await greedy.send(GET.repeat(1500));
  await greedy.untilClosed();
  const requests = emit.mock.calls.filter(([event]) => event === 'request');
  expect(requests).toHaveLength(17);
});

it('many that have something to say at once share out turns of the event loop (finding 4.5)', async () => {
  const COUNT = 60;
  let [inThisTurn, most, answered] = [0, 0, 0];
  const all = deferred();
  const port = await listen(
    (_request, response) => {
      if (inThisTurn++ === 0)
        setImmediate(() => {
          inThisTurn = 0;
        });
      most = Math.max(most, inThisTurn);
      // A slice of processor time or more, however fast the machine is.
      for (const until = performance.now() + 11; performance.now() < until; );
      response.end('ok');
      if (++answered === COUNT) all.resolve();
    },
    { inAll: COUNT, strangers: COUNT, perAddress: COUNT },
  );
  const many = Array.from({ length: COUNT }, () => open(port));
  await eventually(async () => servers.at(-1)?.openConnections === COUNT || undefined, 'all are there');
  await Promise.all(many.map((each) => each.send(GET)));
  await all.promise;
  expect(most).toBeLessThan(4);
});

describe('bodies in many pieces (finding 4.2)', () => {
  const HEAD = 'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
  const echo: RequestListener = (request, response) => {
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    request.on('end', () => response.end(`${bytes} bytes`));
  };

  it.each([
    ['200 of one byte', '1\r\nx\r\n'.repeat(200), '200 bytes'],
    ['2,000 of 32 bytes', `20\r\n${'x'.repeat(32)}\r\n`.repeat(2000), '64000 bytes'],
  ])('%s are taken', async (_, pieces, answer) => {
    const client = open(await listen(echo));
    await client.send(`${HEAD}${pieces}0\r\n\r\n`);
    expect(await client.untilClosed()).toContain(answer);
  });

  it('thousands of one byte end their connection although the request was answered before', async () => {
    const client = open(await listen((_request, response) => response.end('nobody wants it')));
    await client.send(HEAD.replace('connection: close\r\n', ''));
    await eventually(() => client.received.includes('nobody wants it') || undefined, 'an answer');
    await client.send('1\r\nx\r\n'.repeat(5000));
    await client.untilClosed();
  });

  it('what is sent after the answer leaves the connection to the next request', async () => {
    const client = open(await listen((_request, response) => response.end('nobody wants it')));
    await client.send(HEAD.replace('connection: close\r\n', ''));
    await eventually(() => client.received.includes('nobody wants it') || undefined, 'an answer');
    await client.send(`${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(500)}0\r\n\r\n${GET}`);
    await eventually(
      () => client.received.split('nobody wants it').length === 3 || undefined,
      'the next one',
    );
  });

  it('thousands of one byte end their connection, and the rest is dropped', async () => {
    let bytes = 0;
    const port = await listen((request) => {
      request.on('data', (piece: Buffer) => {
        bytes += piece.length;
      });
    });
    const client = open(port);
    await client.send(`${HEAD}${'1\r\nx\r\n'.repeat(5000)}`);
    await client.untilClosed();
    expect(bytes).toBeLessThan(300);
  });
});
