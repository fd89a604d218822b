import { connect, type Socket } from 'node:net';
import { resetSocket } from '../../../src/redis/socket-reset';
import { HOST } from '../processes/ports';
import { deferred, within } from '../signals/signals';

const WITHIN_MS = 20_000;

/** A TCP connection that sends bytes as they stand; whatever happens to it is no error. */
export class RawConnection {
  received = '';
  /** Resolves when nothing more can come. */
  readonly closed: Promise<void>;
  private readonly socket: Socket;
  private readonly opened: Promise<void>;

  constructor(port: number) {
    const opened = deferred();
    const closed = deferred();
    this.opened = opened.promise;
    this.closed = closed.promise;
    this.socket = connect(port, HOST);
    this.socket.on('connect', () => opened.resolve());
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    this.socket.on('close', () => {
      opened.resolve();
      closed.resolve();
    });
  }

  /** Resolves when the system has taken the bytes, or the connection has ended. */
  async send(bytes: string | Buffer): Promise<void> {
    await this.opened;
    if (this.socket.destroyed) return;
    const written = new Promise<void>((resolve) => this.socket.write(bytes, () => resolve()));
    await Promise.race([written, this.closed]);
  }

  /** Leaves what comes unread. */
  pause(): void {
    this.socket.pause();
  }

  /** Ends our side; resolves to everything that came until the other side ended its own. */
  async end(): Promise<string> {
    this.socket.end();
    await within(this.closed, WITHIN_MS, () => `not closed; received ${this.received.slice(0, 200)}`);
    return this.received;
  }

  /** Everything that comes until the other side ends the connection. */
  async untilClosed(withinMs = WITHIN_MS): Promise<string> {
    await within(this.closed, withinMs, () => `not closed; received ${this.received.slice(0, 200)}`);
    return this.received;
  }

  reset(): void {
    resetSocket(this.socket);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
