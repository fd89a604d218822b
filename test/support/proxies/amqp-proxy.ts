import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { resetSocket } from '../../../src/redis/socket-reset';
import { freePort, HOST } from '../processes/ports';
import { Happenings } from '../signals/signals';

const FRAME_HEADER = 7;
const METHOD = 1;
const CONSUME_OK = [60, 21] as const;

/** Connection.Close with 320 CONNECTION_FORCED, as a broker that is stopped by its operator says it. */
const CONNECTION_CLOSE = methodFrame(0, 10, 50, [
  ...Buffer.from([320 >> 8, 320 & 255]),
  ...shortString('CONNECTION_FORCED - stopped'),
  0,
  0,
  0,
  0,
]);

function shortString(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}

function methodFrame(channel: number, classId: number, methodId: number, args: readonly number[]): Buffer {
  const payload = Buffer.from([0, classId, 0, methodId, ...args]);
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt8(METHOD, 0);
  header.writeUInt16BE(channel, 1);
  header.writeUInt32BE(payload.length, 3);
  return Buffer.concat([header, payload, Buffer.from([0xce])]);
}

interface Link {
  readonly client: Socket;
  readonly broker: Socket;
}

/**
 * Stands before a broker at an address of its own, so that a test can take the broker away, cut connections at any
 * point, or end them in good order, without touching the broker that others use. What comes from the broker is
 * passed on in whole frames.
 */
export class AmqpProxy {
  readonly connected = new Happenings<number>();
  /** The next connections are cut after so many bytes from the broker. */
  cutAfter: number[] = [];
  /** The next connections are ended in good order in the same packet as the first subscription is confirmed. */
  closeWithSubscription = 0;
  /** Told how many bytes a connection has had from the broker, before they are passed on. */
  onBytes: (passed: number) => void = () => {};
  private readonly links = new Set<Link>();
  private server: Server | undefined;

  private constructor(
    private readonly broker: URL,
    private readonly port: number,
  ) {}

  static async start(brokerUri: string): Promise<AmqpProxy> {
    const proxy = new AmqpProxy(new URL(brokerUri), await freePort());
    await proxy.goOnline();
    return proxy;
  }

  /** The broker's address with the proxy's host and port. */
  get uri(): string {
    const uri = new URL(this.broker.href);
    uri.host = `${HOST}:${this.port}`;
    return uri.href;
  }

  async goOnline(): Promise<void> {
    if (this.server !== undefined) return;
    this.server = createServer((client) => this.accept(client));
    this.server.listen(this.port, HOST);
    await once(this.server, 'listening');
  }

  /** Connections are refused, and those there are cut. */
  async goOffline(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  cut(): void {
    for (const { client, broker } of this.links) {
      resetSocket(client);
      broker.destroy();
    }
  }

  /** The broker ends every connection in good order. */
  closeConnections(): void {
    for (const { client, broker } of this.links) {
      broker.destroy();
      client.write(CONNECTION_CLOSE);
    }
  }

  private accept(client: Socket): void {
    const broker = connect(Number(this.broker.port) || 5672, this.broker.hostname);
    const link = { client, broker };
    const cutAfter = this.cutAfter.shift() ?? Number.POSITIVE_INFINITY;
    let closeWithSubscription = this.closeWithSubscription-- > 0;
    this.links.add(link);
    this.connected.add(this.connected.all.length + 1);
    let passed = 0;
    let rest: Buffer = Buffer.alloc(0);
    broker.on('data', (chunk: Buffer) => {
      const { whole, partial } = split(Buffer.concat([rest, chunk]));
      rest = partial;
      passed += whole.length;
      this.onBytes(passed);
      if (passed >= cutAfter) {
        resetSocket(client);
        broker.destroy();
      } else if (closeWithSubscription && confirmsSubscription(whole)) {
        closeWithSubscription = false;
        client.write(Buffer.concat([whole, CONNECTION_CLOSE]));
        broker.destroy();
      } else client.write(whole);
    });
    client.on('data', (chunk) => broker.write(chunk));
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('end', () => other.end());
      socket.on('close', () => {
        if (socket === client) this.links.delete(link);
      });
    }
    client.on('close', () => broker.destroy());
  }
}

function split(bytes: Buffer): { whole: Buffer; partial: Buffer } {
  let position = 0;
  while (position + FRAME_HEADER <= bytes.length) {
    const end = position + FRAME_HEADER + bytes.readUInt32BE(position + 3) + 1;
    if (end > bytes.length) break;
    position = end;
  }
  return { whole: bytes.subarray(0, position), partial: bytes.subarray(position) };
}

function confirmsSubscription(frames: Buffer): boolean {
  for (let position = 0; position < frames.length; ) {
    const size = frames.readUInt32BE(position + 3);
    const start = position + FRAME_HEADER;
    if (
      frames[position] === METHOD &&
      frames.readUInt16BE(start) === CONSUME_OK[0] &&
      frames.readUInt16BE(start + 2) === CONSUME_OK[1]
    ) {
      return true;
    }
    position = start + size + 1;
  }
  return false;
}
