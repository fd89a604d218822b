import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { Server, type ServerOptions, type Socket } from 'socket.io';
import type { GatewayConfig } from '../../config/gateway-config';
import { errorBody, type HttpError } from '../../http-api/http-errors';
import type { BudgetOptions, SharedBudget } from '../../network/shared-budget';
import type { Admission, Candidate, Seat } from './admission';
import type { Clients } from './clients';
import { EngineLimits } from './engine-limits';
import { OpenAnswers } from './open-answers';
import { SocketIoClient } from './socket-io-client';
import { GatewaySocketServer } from './socket-server';

export interface SocketIoParts {
  readonly config: GatewayConfig;
  readonly admission: Admission;
  readonly clients: Clients;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly asHttpError: (error: unknown) => HttpError;
  readonly bufferBytes: number;
  readonly pingMs: number;
  /** Sessions without a key, and bytes of bodies whose senders showed none. */
  readonly sessions: BudgetOptions;
  readonly bodies: SharedBudget;
}

/** A client between its admission and its connection. */
interface Arrival {
  readonly seat: Seat;
  readonly stopWatching: () => void;
}

type CorsOptions = NonNullable<ServerOptions['cors']>;

/** Clients have nothing to say. */
const MAX_INCOMING_BYTES = 65_536;
/** Clients that connect and ask for no namespace are sent away. */
const CONNECT_TIMEOUT_MS = 10_000;

/** The library's own default; with shorter pings a client has until the next one, as plain ones have. */
const MAX_PING_TIMEOUT_MS = 20_000;

/**
 * socket.io, as the core API speaks it: the default namespace for the events of all instances, one namespace for each
 * instance. Each client is sent to by itself, as each has its own place in the stream.
 */
export class SocketIo {
  private readonly server: Server;
  private readonly arrivals = new WeakMap<Socket, Arrival>();
  private readonly limits: EngineLimits;
  /** The library has no engine before. */
  private isAttached = false;
  private readonly answers = new OpenAnswers();

  constructor(private readonly parts: SocketIoParts) {
    this.limits = new EngineLimits({
      addressOf: parts.addressOf,
      sessions: parts.sessions,
      bodies: parts.bodies,
      maxBodyBytes: MAX_INCOMING_BYTES,
    });
    this.server = new Server({
      serveClient: false,
      maxHttpBufferSize: MAX_INCOMING_BYTES,
      pingInterval: parts.pingMs,
      pingTimeout: Math.min(parts.pingMs, MAX_PING_TIMEOUT_MS),
      wsEngine: GatewaySocketServer,
      connectTimeout: CONNECT_TIMEOUT_MS,
      // Instances come and go.
      cleanupEmptyChildNamespaces: true,
      cors: corsOf(parts.config),
      allowRequest: (request, decide) => this.limits.allowRequest(request, decide),
      // Other requests to upgrade are none of its business.
      destroyUpgrade: false,
    });
    for (const namespace of [this.server.of('/'), this.server.of(/^\/.+/)]) {
      namespace.use((socket, next) => this.admit(socket, next));
      namespace.on('connection', (socket) => this.takeIn(socket));
    }
  }

  attach(server: HttpServer): void {
    this.server.attach(server);
    this.isAttached = true;
    this.limits.watch(this.server.engine);
    this.server.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      this.answers.watch(request, response);
      next();
    });
  }

  /** The HTTP server is closed by its owner. */
  close(): void {
    if (this.isAttached) this.server.engine.close();
  }

  private admit(socket: Socket, next: (error?: Error) => void): void {
    this.parts.admission.admit(this.candidateOf(socket)).then(
      (seat) => {
        this.limits.admitted(socket.conn);
        if (!socket.conn.readyState.startsWith('open')) return this.parts.clients.turnAway(seat);
        // A client that goes away between this and `connection` is never heard of again.
        const onClose = (): void => this.parts.clients.turnAway(seat);
        socket.conn.once('close', onClose);
        this.arrivals.set(socket, { seat, stopWatching: () => socket.conn.off('close', onClose) });
        next();
      },
      (error: unknown) => {
        this.limits.refused(socket.conn);
        const { status, told } = this.parts.asHttpError(error);
        next(Object.assign(new Error(JSON.stringify(told)), { data: errorBody(status, told) }));
      },
    );
  }

  private takeIn(socket: Socket): void {
    const arrival = this.arrivals.get(socket);
    if (arrival === undefined) {
      socket.disconnect(true);
      return;
    }
    const { seat, stopWatching } = arrival;
    stopWatching();
    const { clients, bufferBytes } = this.parts;
    const client: SocketIoClient = new SocketIoClient({
      socket,
      answers: this.answers,
      bufferBytes,
      instance: seat.instance,
      onTrouble: (reason) => clients.cutOff(client, reason),
    });
    const leave = clients.add(client, seat);
    socket.once('disconnect', () => {
      client.gone();
      leave();
    });
  }

  private candidateOf({ handshake, nsp, request }: Socket): Candidate {
    const auth = handshake.auth as { apikey?: unknown; lastEventId?: unknown };
    return {
      address: this.parts.addressOf(request),
      key: textOf(auth.apikey) ?? textOf(handshake.query['apikey']) ?? textOf(handshake.headers['apikey']),
      headers: handshake.headers,
      instance: nsp.name === '/' ? undefined : decoded(nsp.name.slice(1)),
      lastEventId: textOf(auth.lastEventId) ?? textOf(handshake.query['lastEventId']),
    };
  }
}

function corsOf({ cors }: GatewayConfig): CorsOptions {
  return {
    origin: cors.origins.includes('*') ? '*' : [...cors.origins],
    methods: [...cors.methods],
    credentials: cors.credentials,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Clients put a namespace into an address, and so may have encoded it. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
