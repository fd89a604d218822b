import type { EventEmitter } from 'node:events';
import type { Socket } from 'socket.io';
import type { WebSocket } from 'ws';
import type { Client, CutReason } from './clients';
import type { Notice } from './follower';
import type { OpenAnswers } from './open-answers';
import type { StreamMessage } from './stream-message';

export interface SocketIoClientParts {
  readonly socket: Socket;
  readonly answers: OpenAnswers;
  readonly bufferBytes: number;
  readonly instance: string | undefined;
  readonly onTrouble: (reason: CutReason) => void;
}

/** What a packet needs of engine.io's transports; `socket` is there where it is a WebSocket. */
interface Transport extends EventEmitter {
  readonly name: string;
  readonly socket?: WebSocket;
}

export class SocketIoClient implements Client {
  readonly protocol = 'socket.io';
  private hasLeft = false;
  /** Of packets that engine.io holds until its transport takes more. */
  private queuedBytes = 0;

  constructor(private readonly parts: SocketIoClientParts) {
    this.conn.on('flush', () => {
      this.queuedBytes = 0;
    });
  }

  get isGone(): boolean {
    return this.hasLeft;
  }

  get bufferBytes(): number {
    return this.parts.bufferBytes;
  }

  get unreadBytes(): number {
    return this.queuedBytes + (this.transport.socket?.bufferedAmount ?? 0) + this.copiedBytes;
  }

  /** Each answer to a poll is a copy. */
  get copiedBytes(): number {
    let bytes = 0;
    for (const answer of this.parts.answers.of(this.session)) bytes += answer.writableLength;
    return bytes;
  }

  tooSlow(): void {
    this.parts.onTrouble('slow');
  }

  send(message: StreamMessage): void {
    if (this.isGone) return;
    if (this.unreadBytes > this.bufferBytes) return this.parts.onTrouble('slow');
    const packet = message.socketIoPacket(this.parts.socket.nsp.name);
    this.queuedBytes += message.bytes;
    // Below socket.io's own `emit`, which would make the packet anew for each client. A transport only ever becomes a
    // WebSocket, which takes the frame alone.
    const text = this.transport.name === 'websocket' ? '' : packet.text;
    this.conn.send(text, { wsPreEncodedFrame: packet.frame } as SendOptions);
  }

  notify({ event, ...rest }: Notice): void {
    const { socket, instance = null } = this.parts;
    socket.emit(event, { event, instance, ...rest });
  }

  async flushed(): Promise<void> {
    while (!this.isGone && this.unreadBytes > 0) await this.change();
  }

  /** The engine below pings by itself. */
  checkAlive(): void {}

  cutOff(reason: CutReason): void {
    const { socket, answers } = this.parts;
    const { transport } = this;
    const open = [...answers.of(this.session)];
    // Clients that receive a disconnect packet do not come back by themselves; where the connection just ends they do, and resume.
    if (reason === 'revoked') socket.disconnect(true);
    else this.conn.close(true);
    // A client that does not read does not answer the close frame either.
    if (reason !== 'slow' && reason !== 'dead') return;
    transport.socket?.terminate();
    for (const answer of open) answer.destroy();
  }

  gone(): void {
    this.hasLeft = true;
  }

  private get conn(): Socket['conn'] {
    return this.parts.socket.conn;
  }

  /** Its types call it private, although every request of a client names it. */
  private get session(): string {
    return (this.conn as unknown as { readonly id: string }).id;
  }

  private get transport(): Transport {
    return this.conn.transport as unknown as Transport;
  }

  /** Resolves when something may have left. */
  private change(): Promise<void> {
    const sources: [EventEmitter, string][] = [
      [this.conn, 'flush'],
      [this.conn, 'upgrade'],
      [this.conn, 'close'],
      [this.transport, 'drain'],
      ...[...this.parts.answers.of(this.session)].map((answer): [EventEmitter, string] => [answer, 'close']),
    ];
    return new Promise((resolve) => {
      const done = (): void => {
        for (const [source, event] of sources) source.off(event, done);
        // The transport still notes what it has sent.
        setImmediate(resolve);
      };
      for (const [source, event] of sources) source.on(event, done);
    });
  }
}

type SendOptions = Parameters<Socket['conn']['send']>[1];
