import { createConnection, Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { AbstractConnector } from 'ioredis';
import { asError } from '../errors';
import { tlsOptionsFor } from './access';
import type { Locator } from './locator';
import { watchSocket } from './socket-watch';

export interface ConnectorParts {
  readonly locator: Locator;
  readonly tls: boolean;
  /** Longer than any command may block. */
  readonly silentMs: number;
  readonly onLate: () => void;
}

/** How long a closed connection may take to say goodbye. */
const GOODBYE_MS = 2000;

/**
 * Makes the sockets of one client: every one leads to the server that takes writes when it is opened, and is watched. The
 * client calls it anew for each connection.
 */
export class WatchedConnector extends AbstractConnector {
  private ended: Socket | TLSSocket | undefined;

  constructor(private readonly parts: ConnectorParts) {
    super(GOODBYE_MS);
  }

  /** A connection that cannot be made is one that ended at once, so that the client tries again. */
  async connect(): Promise<Socket | TLSSocket> {
    this.connecting = true;
    delete this.firstError;
    const socket = await this.open();
    // `disconnect` was asked for while the server was looked for.
    if (!this.connecting) socket.destroy();
    this.stream = socket;
    if (!socket.destroyed) watchSocket(socket, this.parts);
    return socket;
  }

  /** Once for each connection: every command of a pipeline that is refused may ask for it. */
  override disconnect(): void {
    const isEnding = this.ended !== undefined && this.ended === this.stream;
    this.connecting = false;
    this.ended = this.stream;
    if (!isEnding) super.disconnect();
  }

  override check(info: Readonly<Record<string, string>>): boolean {
    return this.parts.locator.accepts(info);
  }

  private async open(): Promise<Socket | TLSSocket> {
    const { locator, tls } = this.parts;
    try {
      const address = await locator.locate();
      const socket = tls ? tlsConnect({ ...address, ...tlsOptionsFor(address) }) : createConnection(address);
      socket.once('error', (error) => this.fail(error));
      return socket;
    } catch (error) {
      this.fail(asError(error));
      return new Socket().destroy();
    }
  }

  private fail(error: Error): void {
    this.firstError ??= error;
  }
}
