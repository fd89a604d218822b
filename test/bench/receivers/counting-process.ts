import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter } from './receiver';

let received = 0;

const server = createServer((request, response) => {
  if (request.url === Counter.path) {
    response.end(String(received));
    return;
  }
  request.resume().on('end', () => {
    received++;
    response.end('ok');
  });
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('SIGTERM', () => process.exit());
