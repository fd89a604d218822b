import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { GatewaySocketServer } from '../../../../src/gateway/websocket/socket-server';
import { deferred } from '../../../support/signals/signals';

let server: Server;
let client: WebSocket;
let received: string[];
let closed: Promise<number>;

beforeEach(async () => {
  received = [];
  const sockets = new GatewaySocketServer({ noServer: true, maxPayload: 65_536 });
  server = createServer();
  server.on('upgrade', (request, socket, head) =>
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {});
      webSocket.on('message', (data) => received.push(String(data)));
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  client.on('error', () => {});
  const end = deferred<number>();
  client.on('close', (code) => end.resolve(code));
  closed = end.promise;
  await once(client, 'open');
});

afterEach(async () => {
  client.terminate();
  server.close();
  await once(server, 'close');
});

function sendInPieces(count: number): void {
  for (let piece = 1; piece <= count; piece++) client.send('x', { fin: piece === count });
}

it('a message in a few pieces is taken', async () => {
  sendInPieces(200);
  client.send('next');
  client.close();
  await closed;
  expect(received).toEqual(['x'.repeat(200), 'next']);
});

it('a message in thousands of pieces ends its connection: each is held until the last (finding 4.5)', async () => {
  sendInPieces(2000);
  expect(await closed).toBe(1008);
  expect(received).toEqual([]);
});
