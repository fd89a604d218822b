/**
 * Many WebSocket clients in one process. They read the headers of frames only (RFC 6455, section 5.2): a client
 * library would be what is measured. Told a number of clients and an address, it answers when all are connected; told
 * `count`, with the messages that all of them have received.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

const AT_ONCE = 50;
const TEXT = 1;
let received = 0;
const sockets: Socket[] = [];

class FrameCounter {
  /** Bytes of the frame under way that are still to come. */
  private rest = 0;
  private head = Buffer.alloc(0);

  take(chunk: Buffer): void {
    let data = this.head.length === 0 ? chunk : Buffer.concat([this.head, chunk]);
    this.head = Buffer.alloc(0);
    while (data.length > 0) {
      if (this.rest > 0) {
        const skipped = Math.min(this.rest, data.length);
        this.rest -= skipped;
        data = data.subarray(skipped);
        continue;
      }
      const frame = readHead(data);
      if (frame === undefined) {
        this.head = Buffer.from(data);
        return;
      }
      if (frame.opcode === TEXT) received++;
      this.rest = frame.length;
      data = data.subarray(frame.headLength);
    }
  }
}

function readHead(data: Buffer): { opcode: number; headLength: number; length: number } | undefined {
  const short = (data[1] ?? 0) & 0x7f;
  const headLength = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (data.length < headLength) return undefined;
  const length =
    short === 126 ? data.readUInt16BE(2) : short === 127 ? Number(data.readBigUInt64BE(2)) : short;
  return { opcode: (data[0] ?? 0) & 0x0f, headLength, length };
}

function join(url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname);
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.once('error', reject);
    socket.once('data', (answer: Buffer) => {
      const end = answer.indexOf('\r\n\r\n') + 4;
      if (!answer.toString('latin1', 0, 12).endsWith('101'))
        return reject(new Error(answer.toString('utf8')));
      const counter = new FrameCounter();
      counter.take(answer.subarray(end));
      socket.on('data', (chunk: Buffer) => counter.take(chunk));
      sockets.push(socket);
      resolve();
    });
  });
}

process.on('message', async (message: string) => {
  if (message === 'count') {
    process.send?.(received);
    return;
  }
  const [count = '0', address = ''] = message.split(' ');
  for (let joined = 0; joined < Number(count); joined += AT_ONCE) {
    const some = Math.min(AT_ONCE, Number(count) - joined);
    await Promise.all(Array.from({ length: some }, () => join(new URL(address))));
  }
  process.send?.('connected');
});
process.on('SIGTERM', () => process.exit());
