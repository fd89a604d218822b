import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { splice } from './splice';

/** A way to a server that can go dead: connections stay open, and nothing passes any more. */
export class FreezingProxy {
  private readonly sockets = new Set<Socket>();
  private readonly upstreams = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** @param port to listen on again where an earlier one was closed; 0: any */
  static async start(target: number, port = 0): Promise<FreezingProxy> {
    const server = createServer();
    const proxy = new FreezingProxy(server);
    server.on('connection', (client: Socket) => {
      const upstream = connect(target, '127.0.0.1');
      proxy.upstreams.add(upstream);
      upstream.once('close', () => proxy.upstreams.delete(upstream));
      splice(client, upstream, proxy.sockets);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  freeze(): void {
    for (const socket of this.sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** What is asked arrives, and no answer comes back; on connections that are open now. */
  freezeAnswers(): void {
    for (const upstream of this.upstreams) {
      upstream.unpipe();
      upstream.pause();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
