import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const HOST = '127.0.0.1';

const given = new Set<number>();

/**
 * A random port below the range that the kernel gives to outgoing connections. Inside that range, a client
 * that keeps reconnecting to a stopped server sooner or later connects to itself and holds the port.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('no free port between 20000 and 32000');
}

/** Wait until a server that has just ended has let its port go. */
export async function untilFree(port: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await isFree(port))) {
    if (Date.now() > deadline) throw new Error(`port ${port} stays in use`);
    await delay(20);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first bytes that a server answers to these bytes; none where it does not answer. */
export function ask(port: number, question: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST, () => socket.write(question, 'latin1'));
    const end = (answer: Buffer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => end(Buffer.alloc(0)));
    socket.once('data', end);
    socket.once('error', () => end(Buffer.alloc(0)));
    socket.once('close', () => end(Buffer.alloc(0)));
  });
}
