import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Happenings } from '../signals/signals';

/** A forward proxy that knows CONNECT and nothing else. */
export class ConnectProxy {
  /** What it was asked to connect to, and with which credentials. */
  readonly asked = new Happenings<{
    readonly authority: string;
    readonly authorization: string | undefined;
  }>();
  /** Set: every request is refused with this status. */
  refusal: number | undefined;
  /** Set: what it does with the connection of a request, instead. */
  behaviour: ((client: Duplex) => void) | undefined;
  /** Where it connects to instead of what it was asked for. */
  redirect: string | undefined;
  private readonly sockets = new Set<Duplex>();

  private constructor(private readonly server: Server) {
    server.on('connect', (request, socket) => this.take(request, socket));
  }

  static async start(): Promise<ConnectProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ConnectProxy(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private take({ url = '', headers }: IncomingMessage, client: Duplex): void {
    this.asked.add({ authority: url, authorization: headers['proxy-authorization'] });
    this.track(client);
    if (this.behaviour !== undefined) return this.behaviour(client);
    if (this.refusal !== undefined) {
      client.end(`HTTP/1.1 ${this.refusal} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${this.redirect ?? url}`);
    const target: Socket = connect(Number(port || 80), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(target).pipe(client);
    });
    this.track(target);
    target.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n'));
  }

  private track(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
  }
}
