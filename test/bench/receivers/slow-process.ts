import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Counter } from './receiver';

/**
 * Answers each request after SLOW_MS. With SLOW_PLACES it serves that many at a time and queues the rest, as most
 * application servers do. Counts what it answered. A number that is sent to it is the status from then on.
 */
const durationMs = Number(process.env['SLOW_MS']);
const places = Number(process.env['SLOW_PLACES'] ?? 0) || Number.POSITIVE_INFINITY;

let status = Number(process.env['SLOW_STATUS'] ?? 200);

let answered = 0;
let busy = 0;
const queue: ServerResponse[] = [];

function serve(response: ServerResponse): void {
  busy++;
  setTimeout(() => {
    busy--;
    answered++;
    response.writeHead(status).end('ok');
    const next = queue.shift();
    if (next !== undefined) serve(next);
  }, durationMs);
}

const server = createServer((request, response) => {
  if (request.url === Counter.path) {
    response.end(String(answered));
    return;
  }
  request.resume().on('end', () => {
    if (busy < places) serve(response);
    else queue.push(response);
  });
});

server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (next) => {
  [status, answered] = [Number(next), 0];
});
process.on('SIGTERM', () => process.exit());
