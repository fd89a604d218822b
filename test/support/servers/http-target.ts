import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Happenings } from '../signals/signals';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Which connection it came by, counted from 1. */
  readonly connection: number;
}

export type Answer = (response: ServerResponse, request: ReceivedRequest) => void;

/** An HTTP server in this process that answers as the test says, and counts connections. */
export class HttpTarget {
  readonly received = new Happenings<ReceivedRequest>();
  /** Connections that have ended, by number. */
  readonly closed = new Happenings<number>();
  answer: Answer = respond(200);
  connections = 0;
  open = 0;
  peak = 0;

  private constructor(private readonly server: Server) {
    server.keepAliveTimeout = 60_000;
    const numbers = new WeakMap<Socket, number>();
    server.on('connection', (socket: Socket) => {
      const number = ++this.connections;
      numbers.set(socket, number);
      this.open++;
      this.peak = Math.max(this.peak, this.open);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.open--;
        this.closed.add(number);
      });
    });
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers, socket } = request;
        const connection = numbers.get(socket) ?? 0;
        const received = { method, path: url, headers, body: Buffer.concat(chunks), connection };
        this.answer(response, received);
        this.received.add(received);
      });
    });
  }

  /** @param port a free one where it is left out */
  static async start(port = 0): Promise<HttpTarget> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new HttpTarget(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

export function respond(
  status: number,
  headers: Record<string, string> = {},
  body: string | Buffer = '',
): Answer {
  return (response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** Bytes straight onto the connection, whatever HTTP says. */
export function respondRaw(bytes: string): Answer {
  return ({ socket }) => {
    socket?.write(bytes);
  };
}

/** Writes as fast as the other side takes it, up to `limit` bytes, and never ends; the most that was written. */
export function respondFlood(
  status: number,
  limit: number,
): { readonly answer: Answer; readonly most: () => number } {
  const chunk = Buffer.alloc(65_536, 'x');
  let most = 0;
  const answer: Answer = (response) => {
    let bytes = 0;
    const write = (): void => {
      while (bytes < limit && !response.destroyed) {
        bytes += chunk.length;
        most = Math.max(most, bytes);
        if (!response.write(chunk)) return void response.once('drain', write);
      }
    };
    response.on('error', () => {});
    response.writeHead(status);
    write();
  };
  return { answer, most: () => most };
}

/** An address where nobody listens. */
export async function refusedUrl(): Promise<string> {
  const target = await HttpTarget.start();
  const { url } = target;
  await target.stop();
  return url;
}
