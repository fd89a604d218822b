import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SqsApi } from '../../src/sources/sqs/api';
import { connectSqs } from '../../src/sources/sqs/sdk-api';
import { troubleOf } from '../../src/sources/sqs/trouble';

const MEGABYTE = 1024 * 1024;
const QUEUE = 'http://127.0.0.1/000000000000/queue';

let server: Server;
let api: SqsApi;
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => {
    response.on('error', () => {});
    request.resume().on('end', () => answer(response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  api = await connectSqs({ region: 'us-east-1', endpoint: `http://127.0.0.1:${port}`, credentials });
});
afterEach(async () => {
  api.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const receive = (): Promise<unknown> =>
  api.receive(QUEUE, { max: 10, waitSeconds: 0, visibilitySeconds: 30 }).catch((error: unknown) => error);

test.each([200, 403])(
  'a page with status %d is no answer of SQS, and says nothing about permissions',
  async (status) => {
    answer = (response) =>
      response.writeHead(status, { 'content-type': 'text/html' }).end('<html>log in</html>');
    const error = await receive();
    expect(error).toMatchObject({ code: 'SQS_UNREADABLE' });
    expect(troubleOf(error)).toBe('away');
  },
);

test('an answer without end takes a bounded part of memory', async () => {
  let sent = 0;
  answer = (response) => {
    const piece = Buffer.alloc(MEGABYTE, ' ');
    const write = (): void => {
      while (!response.destroyed && response.write(piece)) sent++;
      sent++;
    };
    response.on('drain', write);
    write();
  };
  expect(await receive()).toMatchObject({ code: 'SQS_UNREADABLE' });
  expect(sent).toBeLessThan(300);
});
