import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import * as undici from 'undici';
import { errorCode } from '../../../src/errors';
import { makeAgent, makeConnector, makePool } from '../../../src/network/undici-parts';
import { failureCauseOf } from '../../../src/pipeline/failure-cause';

describe('the parts of undici that are loaded alone', () => {
  it('are those that its index has', async () => {
    const pool = makePool('http://127.0.0.1:1', {});
    const agent = makeAgent({});
    expect(pool).toBeInstanceOf(undici.Pool);
    expect(agent).toBeInstanceOf(undici.Agent);
    expect(makeConnector).toBe(undici.buildConnector);
    await Promise.all([pool.destroy(), agent.destroy()]);
  });

  it('can do requests, also where its index was never loaded', () => {
    const pool = makePool('http://127.0.0.1:1', {});
    expect(typeof pool.request).toBe('function');
    return pool.destroy();
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n'],
    ['headers that go on in the next line', 'HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n'],
  ])('say with a code what is no answer: %s', async (_what, answer) => {
    const server = createServer((socket) =>
      socket
        .on('error', () => {})
        .resume()
        .end(answer),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const pool = makePool(`http://127.0.0.1:${port}`, {});
    const code = errorCode(await pool.request({ path: '/', method: 'GET' }).catch((error: unknown) => error));
    expect(code).toMatch(/^HPE_[A-Z_]+$/);
    expect(failureCauseOf(code)).toBe('bad-answer');
    await pool.destroy();
    server.close();
    await once(server, 'close');
  });
});
