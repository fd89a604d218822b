import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A way to a server that is far away: everything takes `latencyMs` longer in each direction, in its order. Answers can
 * get lost: the server did what it was asked for, and nobody learns of it.
 */
export class SlowProxy {
  latencyMs = 0;
  losesAnswers = false;
  private readonly sockets = new Set<Socket>();
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(private readonly server: Server) {}

  static async start(target: number): Promise<SlowProxy> {
    const server = createServer();
    const proxy = new SlowProxy(server);
    server.on('connection', (client: Socket) => proxy.join(client, connect(target, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Connections break; new ones work. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket, server: Socket): void {
    for (const [from, to, isAnswer] of [
      [client, server, false],
      [server, client, true],
    ] as const) {
      this.sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
      this.pass(from, to, isAnswer);
    }
  }

  private pass(from: Socket, to: Socket, isAnswer: boolean): void {
    let last = 0;
    from.on('data', (chunk: Buffer) => {
      if (isAnswer && this.losesAnswers) return;
      // Never before what was sent earlier, when the latency becomes less.
      last = Math.max(last, Date.now() + this.latencyMs);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        if (!to.destroyed) to.write(chunk);
      }, last - Date.now());
      this.timers.add(timer);
    });
  }
}
