import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { errorBody, type HttpError } from '../../http-api/http-errors';
import { recognise } from '../../network/guarded-server';
import type { Admission, Candidate, Seat } from './admission';
import type { Client, Clients, CutReason } from './clients';
import type { Notice } from './follower';
import { GatewaySocketServer } from './socket-server';
import type { StreamMessage } from './stream-message';

export interface PlainSocketsParts {
  readonly admission: Admission;
  readonly clients: Clients;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly asHttpError: (error: unknown) => HttpError;
  /** A client that leaves more bytes than this unread is cut off. */
  readonly bufferBytes: number;
}

/** Clients have nothing to say. */
const MAX_INCOMING_BYTES = 4096;
/** RFC 6455, section 7.4.2: codes from 4000 on are ours. */
const CLOSE_CODES: Readonly<Record<CutReason, number>> = {
  slow: 4008,
  dead: 4009,
  revoked: 4001,
  shutdown: 1001,
};

/** Plain WebSockets at `/`: one event a message, as JSON. */
export class PlainSockets {
  private readonly server = new GatewaySocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_INCOMING_BYTES,
  });

  constructor(private readonly parts: PlainSocketsParts) {}

  /** Takes a request to upgrade: a refusal is answered in HTTP, as everywhere else. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { admission, clients, asHttpError } = this.parts;
    let seat: Seat;
    try {
      seat = await admission.admit(this.candidateOf(request));
    } catch (error) {
      return refuse(socket, asHttpError(error));
    }
    recognise(socket);
    // `handleUpgrade` calls back at once or, where the request is no WebSocket's, never.
    let isTaken = false;
    if (!socket.destroyed) {
      this.server.handleUpgrade(request, socket, head, (webSocket) => {
        isTaken = true;
        this.takeIn(webSocket, socket, seat);
      });
    }
    if (!isTaken) clients.turnAway(seat);
  }

  private takeIn(webSocket: WebSocket, stream: Duplex, seat: Seat): void {
    const { clients, bufferBytes } = this.parts;
    const client: PlainClient = new PlainClient({
      webSocket,
      stream,
      bufferBytes,
      instance: seat.instance,
      onTrouble: (reason) => clients.cutOff(client, reason),
    });
    const leave = clients.add(client, seat);
    webSocket.on('close', leave);
  }

  private candidateOf(request: IncomingMessage): Candidate {
    const { searchParams } = new URL(request.url ?? '/', 'http://gateway');
    const header = request.headers['apikey'];
    return {
      address: this.parts.addressOf(request),
      key: searchParams.get('apikey') ?? (Array.isArray(header) ? header[0] : header),
      headers: request.headers,
      instance: searchParams.get('instance') ?? undefined,
      lastEventId: searchParams.get('last-event-id') || undefined,
    };
  }
}

const NOTHING = Buffer.alloc(0);

interface PlainClientParts {
  readonly webSocket: WebSocket;
  /**
   * What the WebSocket runs over. Events are written to it as whole frames, made once for all clients; the library
   * writes its own, for pings and for closing, in between. It compresses nothing, so that none is ever half written.
   */
  readonly stream: Duplex;
  readonly bufferBytes: number;
  readonly instance: string | undefined;
  readonly onTrouble: (reason: CutReason) => void;
}

class PlainClient implements Client {
  readonly protocol = 'ws';
  readonly bufferBytes: number;
  private readonly webSocket: WebSocket;
  private readonly stream: Duplex;
  private readonly instance: string | undefined;
  private readonly onTrouble: (reason: CutReason) => void;
  private isAlive = true;

  constructor({ webSocket, stream, bufferBytes, instance, onTrouble }: PlainClientParts) {
    this.webSocket = webSocket;
    this.stream = stream;
    this.bufferBytes = bufferBytes;
    this.instance = instance;
    this.onTrouble = onTrouble;
    const alive = (): void => {
      this.isAlive = true;
    };
    webSocket.on('pong', alive);
    webSocket.on('message', alive);
    webSocket.on('error', () => {});
  }

  get isGone(): boolean {
    return this.webSocket.readyState !== this.webSocket.OPEN;
  }

  get unreadBytes(): number {
    return this.stream.writableLength;
  }

  readonly copiedBytes = 0;

  tooSlow(): void {
    this.onTrouble('slow');
  }

  send(message: StreamMessage): void {
    if (this.isGone) return;
    if (this.stream.writableLength > this.bufferBytes) return this.onTrouble('slow');
    this.stream.write(message.frame);
  }

  notify({ event, ...rest }: Notice): void {
    if (this.isGone) return;
    this.webSocket.send(JSON.stringify({ event, instance: this.instance ?? null, ...rest }));
  }

  flushed(): Promise<void> {
    if (this.stream.writableLength === 0 || this.isGone) return Promise.resolve();
    return new Promise((resolve) => this.stream.write(NOTHING, () => resolve()));
  }

  checkAlive(): void {
    if (!this.isAlive) return this.onTrouble('dead');
    this.isAlive = false;
    if (!this.isGone) this.webSocket.ping();
  }

  cutOff(reason: CutReason): void {
    this.webSocket.close(CLOSE_CODES[reason], reason);
    // A client that does not read does not answer to that either.
    if (reason === 'slow' || reason === 'dead') this.webSocket.terminate();
  }
}

/** An answer to a request to upgrade, in the shape of every other error. */
export function refuse(socket: Duplex, { status, told, retryAfterSeconds }: HttpError): void {
  const body = JSON.stringify(errorBody(status, told));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(retryAfterSeconds === undefined ? [] : [`retry-after: ${retryAfterSeconds}`]),
  ];
  // A peer that does not end its side would otherwise keep the connection.
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
