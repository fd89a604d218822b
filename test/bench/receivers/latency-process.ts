import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PUBLISHED_AT } from '../events';

/**
 * Notes for each event that says so how long it took from being published to the last of its bytes being here. Both ends read
 * the machine's monotonic clock, which all processes share.
 */
const MARK = Buffer.from(`"${PUBLISHED_AT}":"`);
const DIGITS = 20;
const latencies: number[] = [];
let received = 0;

function note(body: Buffer, now: bigint): void {
  const mark = body.indexOf(MARK);
  if (mark === -1) return;
  const start = mark + MARK.length;
  const text = body.toString('latin1', start, start + DIGITS);
  latencies.push(Number(now - BigInt(text.slice(0, text.indexOf('"')))) / 1e6);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received++;
    note(Buffer.concat(chunks), process.hrtime.bigint());
    response.end('ok');
  });
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('message', (question) => process.send?.(question === 'count' ? received : latencies.splice(0)));
process.on('SIGTERM', () => process.exit());
