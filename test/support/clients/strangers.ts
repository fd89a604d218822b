import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { HOST } from '../processes/ports';
import { RawConnection } from './raw-connection';

/** Just below what one address may have. */
const CROWD = 900;
const POST = 'POST /pusher/auth HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
/** For what was sent to be read and answered. */
const SETTLE_MS = 3000;

/** What strangers do to the gateway's port. */
export const STRANGERS: Readonly<Record<string, (port: number) => Promise<void>>> = {
  '50,000 CONNECTs on one socket': async (port) => {
    const socket = new WebSocket(`ws://${HOST}:${port}/socket.io/?EIO=4&transport=websocket`);
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('open', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    for (let index = 0; index < 50_000; index++) socket.send(`40/instance-${index},`);
    await closed;
  },
  '400 half-sent bodies of 1 MB': (port) =>
    crowd(port, 400, `${POST}content-length: 1000000\r\n\r\n${'x'.repeat(900_000)}`),
  '900 × 16 requests at once': (port) =>
    crowd(port, CROWD, 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(16)),
  '900 bodies in pieces of 1 byte': (port) =>
    crowd(port, CROWD, `${POST}transfer-encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(10_000)}`),
};

/** All of them are there before they say anything. */
async function crowd(port: number, count: number, bytes: string): Promise<void> {
  const all = Array.from({ length: count }, () => new RawConnection(port));
  await Promise.all(all.map((each) => each.send('')));
  for (const each of all) void each.send(bytes);
  await delay(SETTLE_MS);
  for (const each of all) each.destroy();
}
