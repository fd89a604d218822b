import type { AddressInfo } from 'node:net';
import { type GuardedFastify, guardedFastify } from '../../../src/network/guarded-fastify';
import { RawConnection } from '../../support/clients/raw-connection';

let guarded: GuardedFastify;
let connection: RawConnection;
beforeEach(async () => {
  guarded = guardedFastify({
    limits: { inAll: 8, strangers: 6, perAddress: 4 },
    trustedProxies: [],
    onRefused: () => {},
    onError: () => {},
  });
  await guarded.server.listen({ host: '127.0.0.1', port: 0 });
  connection = new RawConnection((guarded.server.server.address() as AddressInfo).port);
});
afterEach(async () => {
  connection.destroy();
  guarded.destroyAll();
  await guarded.server.close();
});

test.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', 400, 'What arrived is no HTTP request'],
  [
    'a body whose length is not said',
    'DELETE / HTTP/1.1\r\nhost: x\r\n\r\n{"a":1}\r\n\r\n',
    400,
    'What arrived is no HTTP request',
  ],
  [
    'too many headers',
    `GET / HTTP/1.1\r\nhost: x\r\na: ${'a'.repeat(20_000)}\r\n\r\n`,
    431,
    'The headers of the request are too large',
  ],
])(
  '%s is answered in the shape of every other error, not in the words of a library',
  async (_what, sent, status, message) => {
    await connection.send(sent);
    await connection.untilClosed();
    const answer = connection.received.slice(connection.received.lastIndexOf('HTTP/1.1'));
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('connection: close');
    expect(JSON.parse(body)).toEqual({
      status,
      error: expect.any(String),
      response: { message: [message] },
    });
  },
);
