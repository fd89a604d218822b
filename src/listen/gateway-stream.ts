import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { errorCode, explainCode } from '../errors';
import { Backoff } from '../time/backoff';
import { refusalOf } from './stream-refusal';

export interface GatewayStreamParts {
  /** Of the gateway, such as `http://localhost:8090`. */
  readonly gateway: string;
  readonly key: string;
  /** Undefined: the events of all instances. */
  readonly instance: string | undefined;
  /** Where to go on; `now` for what comes from now on. */
  readonly lastEventId: string;
  readonly onMessage: (message: Buffer) => void;
  readonly onOpen: () => void;
  /** The connection is gone, or was not made; it is made again after the pause. */
  readonly onCut: (reason: string, pauseMs: number) => void;
  /** The gateway refuses in a way that trying again does not change. */
  readonly onRefused: (reason: string) => void;
}

const RECONNECT = { firstMs: 500, lastMs: 15_000, jitter: 0.2 };
const HANDSHAKE_MS = 10_000;
/** A connection over which nothing comes for so long, not even an answer to a ping, is gone. */
const PING_MS = 20_000;
const MAX_EVENT_BYTES = 268_435_456;
/** Answers that a gateway, or a proxy before it, gives while it cannot do better. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The events of one stream of a gateway, over as many connections as it takes: each goes on after the last event of the one before. */
export class GatewayStream {
  private socket: WebSocket | undefined;
  private readonly backoff = new Backoff(RECONNECT);
  private pause: NodeJS.Timeout | undefined;
  private pings: NodeJS.Timeout | undefined;
  private isAlive = true;
  private isHeld = false;
  private closed = false;
  private last: string;

  constructor(private readonly parts: GatewayStreamParts) {
    this.last = parts.lastEventId;
  }

  /** Where the next connection goes on. */
  get lastEventId(): string {
    return this.last;
  }

  open(): void {
    this.pings ??= setInterval(() => this.ping(), PING_MS);
    this.connect();
  }

  /** This was received whole. */
  advance(id: string): void {
    this.last = id;
  }

  /** Nothing more is read until `goOn`: what comes stays with the gateway. */
  hold(): void {
    this.isHeld = true;
    this.socket?.pause();
  }

  goOn(): void {
    this.isHeld = false;
    this.isAlive = true;
    this.socket?.resume();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.pings);
    clearTimeout(this.pause);
    this.socket?.terminate();
  }

  private connect(): void {
    const { instance, gateway, key } = this.parts;
    const url = new URL(gateway);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (instance !== undefined) url.searchParams.set('instance', instance);
    url.searchParams.set('last-event-id', this.last);
    const socket = new WebSocket(url, {
      headers: { apikey: key },
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_EVENT_BYTES,
      perMessageDeflate: false,
    });
    this.socket = socket;
    this.watch(socket);
  }

  private watch(socket: WebSocket): void {
    let reason = 'the connection ended';
    const alive = (): void => {
      this.isAlive = true;
    };
    socket.on('open', () => {
      this.isAlive = true;
      this.backoff.reset();
      if (this.isHeld) socket.pause();
      this.parts.onOpen();
    });
    socket.on('message', (data: Buffer) => {
      alive();
      this.parts.onMessage(data);
    });
    socket.on('ping', alive);
    socket.on('pong', alive);
    socket.on('error', (error) => {
      reason = explainCode(errorCode(error));
    });
    socket.on('unexpected-response', (request, response: IncomingMessage) => {
      void this.refused(response).then((text) => {
        reason = text;
        request.destroy();
        // The library says nothing more once somebody else looks at the answer.
        this.onClose(socket, reason);
      });
    });
    socket.on('close', (code) => this.onClose(socket, code === 1006 ? reason : `${reason} (${code})`));
  }

  private onClose(socket: WebSocket, reason: string): void {
    if (this.closed || this.socket !== socket) return;
    this.socket = undefined;
    const pauseMs = Math.round(this.backoff.next());
    this.parts.onCut(reason, pauseMs);
    this.pause = setTimeout(() => this.connect(), pauseMs);
  }

  private async refused(response: IncomingMessage): Promise<string> {
    const status = response.statusCode ?? 0;
    const text = await refusalOf(this.parts.gateway, response);
    if (!PASSING.has(status) && !this.closed) {
      this.close();
      this.parts.onRefused(text);
    }
    return text;
  }

  private ping(): void {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN || this.isHeld) return;
    if (!this.isAlive) return socket.terminate();
    this.isAlive = false;
    socket.ping();
  }
}
