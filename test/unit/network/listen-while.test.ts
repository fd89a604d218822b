import { connect } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { listenWhile } from '../../../src/network/guarded-fastify';
import { freePort, HOST, untilFree } from '../../support/processes/ports';

describe('a port that is opened while it is wanted', () => {
  let server: FastifyInstance;
  let port: number;
  beforeEach(async () => {
    server = fastify();
    port = await freePort();
  });
  afterEach(() => server.close());

  test('is open', async () => {
    expect(await listenWhile(server, { host: HOST, port, variables: 'PORT, HOST' }, () => true)).toBe(true);
    const socket = connect(port, HOST);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
  });

  test('is closed again where its server was closed while it was about to listen', async () => {
    let isWanted = true;
    const listening = listenWhile(server, { host: HOST, port, variables: 'PORT, HOST' }, () => isWanted);
    isWanted = false;
    await server.close();
    expect(await listening).toBe(false);
    await untilFree(port);
  });

  test('fails where it is taken', async () => {
    const other = fastify();
    await other.listen({ host: HOST, port });
    const listening = listenWhile(server, { host: HOST, port, variables: 'PORT, HOST' }, () => true);
    const problem = `PORT, HOST: ${HOST}:${port} cannot be listened on (EADDRINUSE): name a free port`;
    await expect(listening).rejects.toMatchObject({ problems: [problem] });
    await other.close();
  });

  test('fails where the host is none of this machine, and it is the host that is to be mended', async () => {
    for (const host of ['localhost:8090', 'http://0.0.0.0', '192.0.2.1']) {
      const listening = listenWhile(server, { host, port, variables: 'PORT, HOST' }, () => true);
      await expect(listening).rejects.toMatchObject({
        problems: [expect.stringMatching(/the host must be an address or a name of this machine/)],
      });
    }
  });
});
