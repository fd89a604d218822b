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

/**
 * | state     | ends with                                                    |
 * |-----------|--------------------------------------------------------------|
 * | idle      | `open`: connected                                            |
 * | connected | the end of its connection, made or not: pausing; `close`     |
 * | pausing   | its time: connected, over another connection; `close`        |
 * | closed    | nothing                                                      |
 */
type StreamState =
  | { readonly kind: 'idle' | 'closed' }
  | { readonly kind: 'connected'; readonly socket: WebSocket }
  | { readonly kind: 'pausing'; readonly timer: NodeJS.Timeout };

/** Whether something came since the last ping; `held`: nothing is read, so that nothing can come. */
type Hearing = 'heard' | 'asked' | 'held';

/** The events of one stream of a gateway, over as many connections as it takes: each goes on after the last event of the one before. */
export class GatewayStream {
  private state: StreamState = { kind: 'idle' };
  private hearing: Hearing = 'heard';
  private readonly backoff = new Backoff(RECONNECT);
  private pings: NodeJS.Timeout | undefined;
  private last: string;

  constructor(private readonly parts: GatewayStreamParts) {
    this.last = parts.lastEventId;
  }

  /** Where the next connection goes on. */
  get lastEventId(): string {
    return this.last;
  }

  open(): void {
    if (this.state.kind !== 'idle') return;
    // What cannot be connected to at all throws, and leaves nothing behind.
    this.connect();
    this.pings ??= setInterval(() => this.ping(), PING_MS);
  }

  /** This was received whole. */
  advance(id: string): void {
    this.last = id;
  }

  /** Nothing more is read until `goOn`: what comes stays with the gateway. */
  hold(): void {
    this.hearing = 'held';
    if (this.state.kind === 'connected') this.state.socket.pause();
  }

  goOn(): void {
    this.hearing = 'heard';
    if (this.state.kind === 'connected') this.state.socket.resume();
  }

  close(): void {
    const { state } = this;
    this.state = { kind: 'closed' };
    clearInterval(this.pings);
    if (state.kind === 'pausing') clearTimeout(state.timer);
    if (state.kind === 'connected') state.socket.terminate();
  }

  private connect(): void {
    const { instance, gateway, key } = this.parts;
    const url = new URL(gateway);
    url.hash = '';
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    if (instance !== undefined) url.searchParams.set('instance', instance);
    url.searchParams.set('last-event-id', this.last);
    const socket = new WebSocket(url, {
      headers: { apikey: key },
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_EVENT_BYTES,
      perMessageDeflate: false,
    });
    this.state = { kind: 'connected', socket };
    this.watch(socket);
  }

  private watch(socket: WebSocket): void {
    let reason = 'the connection ended';
    const heard = (): void => {
      if (this.hearing === 'asked') this.hearing = 'heard';
    };
    socket.on('open', () => {
      heard();
      this.backoff.reset();
      if (this.hearing === 'held') socket.pause();
      this.parts.onOpen();
    });
    socket.on('message', (data: Buffer) => {
      heard();
      this.parts.onMessage(data);
    });
    socket.on('ping', heard);
    socket.on('pong', heard);
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
    if (this.state.kind !== 'connected' || this.state.socket !== socket) return;
    const pauseMs = Math.round(this.backoff.next());
    this.state = { kind: 'pausing', timer: setTimeout(() => this.connect(), pauseMs) };
    this.parts.onCut(reason, pauseMs);
  }

  private async refused(response: IncomingMessage): Promise<string> {
    const status = response.statusCode ?? 0;
    const text = await refusalOf(this.parts.gateway, response);
    if (!PASSING.has(status) && this.state.kind !== 'closed') {
      this.close();
      this.parts.onRefused(text);
    }
    return text;
  }

  private ping(): void {
    if (this.state.kind !== 'connected' || this.hearing === 'held') return;
    const { socket } = this.state;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (this.hearing === 'asked') return socket.terminate();
    this.hearing = 'asked';
    socket.ping();
  }
}
