import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { monotonicMs } from '../time/monotonic';
import { AnswersUnderWay } from './answers-under-way';
import { addressGroup, clientAddressOf, proxyCheck } from './client-address';
import { ConnectionLimits, type ConnectionLimitsOptions, type Refusal } from './connection-limits';
import { ConnectionWatch } from './connection-watch';
import { FairReads } from './fair-reads';
import { GuardedRequest } from './guarded-request';

export interface GuardedServerParts {
  readonly limits: ConnectionLimitsOptions;
  /** Addresses or networks of proxies, whose X-Forwarded-For names the client. */
  readonly trustedProxies: readonly string[];
  /** At most once a minute: what was refused since the last time, by reason. */
  readonly onRefused: (counts: RefusedCounts) => void;
  /** Something threw while a connection was served; that connection was ended. */
  readonly onError: (error: unknown) => void;
}

/** `replaced`: a connection was closed for a new one. The others were refused, or ended for what they did. */
export type RefusedReason = Refusal | 'replaced' | 'pipelined' | 'pieces' | 'slow' | 'unread';
export type RefusedCounts = Readonly<Partial<Record<RefusedReason, number>>>;

/** Node.js looks at this interval whether the two time limits below have passed. */
const CHECK_MS = 2000;
/** For the head of a request, from its first byte or, on a new connection, from its beginning. */
const HEAD_TIMEOUT_MS = 10_000;
/** For a whole request: head and body. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than load balancers keep connections (60 s is common): it is they that end them. */
const KEEP_ALIVE_MS = 72_000;
const MAX_HEAD_BYTES = 16_384;
/** Requests under way on one connection: no client in use sends more before it has answers. */
const MAX_PIPELINED = 16;
/** Pieces of a body (chunks of its transfer encoding) that may be of any size; beyond them they must have some. */
const FREE_PIECES = 256;
const MIN_PIECE_BYTES = 16;
const SWEEP_MS = 5000;
const REPORT_MS = 60_000;

const OWNERS = new WeakMap<Duplex, GuardedServer>();

/** A key was shown on this connection, or its address needs none: it no longer shares the places of strangers. */
export function recognise(socket: Duplex | undefined): void {
  if (socket !== undefined) OWNERS.get(socket)?.recognise(socket as Socket);
}

/** Something was read of a connection that was upgraded. */
export function noteRead(socket: Duplex): void {
  OWNERS.get(socket)?.noteRead(socket as Socket);
}

/**
 * The HTTP server of every port of ours. Everything that reaches it (connections, requests, upgrades) comes by `emit`, so
 * that no library that listens beside us goes around it: every socket has an error listener from its first moment to its
 * last, connections are counted, and what throws ends a connection instead of the process.
 */
export class GuardedServer extends Server {
  private readonly limits: ConnectionLimits<Socket>;
  private readonly watches = new Map<Socket, ConnectionWatch>();
  private readonly answers = new WeakMap<Socket, AnswersUnderWay>();
  private readonly reads = new FairReads(() => this.limits.strangersByTurns());
  private readonly addressOf: (request: IncomingMessage) => string;
  private readonly isProxy: (address: string | undefined) => boolean;
  private refused: Partial<Record<RefusedReason, number>> = {};
  private reportedAt = Number.NEGATIVE_INFINITY;
  private sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly parts: GuardedServerParts,
    listener: RequestListener,
  ) {
    super(
      {
        connectionsCheckingInterval: CHECK_MS,
        headersTimeout: HEAD_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEAD_BYTES,
        IncomingMessage: GuardedRequest,
      },
      listener,
    );
    this.limits = new ConnectionLimits(parts.limits);
    this.addressOf = clientAddressOf(parts.trustedProxies);
    this.isProxy = proxyCheck(parts.trustedProxies);
    this.once('listening', () => {
      this.sweeper = setInterval(() => this.sweep(), SWEEP_MS);
      this.sweeper.unref();
    });
    this.once('close', () => clearInterval(this.sweeper));
  }

  /** Connections that are open, upgraded ones included. */
  get openConnections(): number {
    return this.watches.size;
  }

  override emit(event: string, ...args: unknown[]): boolean {
    switch (event) {
      case 'connection': {
        const [socket] = args as [Socket];
        return !this.take(socket) || this.serve(socket, () => super.emit(event, ...args));
      }
      case 'request':
      case 'checkContinue':
      case 'checkExpectation': {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        return !this.begin(request, response) || this.serve(request.socket, () => super.emit(event, ...args));
      }
      case 'upgrade':
      case 'connect': {
        const [request, socket] = args as [IncomingMessage, Socket];
        return !this.upgrade(request, socket) || this.serve(socket, () => super.emit(event, ...args));
      }
      default:
        return super.emit(event, ...args);
    }
  }

  /** A key was shown on this connection. */
  recognise(socket: Socket): void {
    this.limits.recognise(socket);
  }

  /** Those that showed a key are too many to be held back one by one, and say little. */
  noteRead(socket: Socket): void {
    if (!this.limits.isKnown(socket)) this.reads.note(socket);
  }

  /** Ends every connection, upgraded ones too. */
  destroyAll(): void {
    for (const socket of [...this.watches.keys()]) socket.destroy();
  }

  /** Nothing that throws while a connection is served ends more than that connection. */
  private serve(socket: Socket, pass: () => boolean): boolean {
    try {
      return pass();
    } catch (error) {
      socket.destroy();
      this.parts.onError(error);
      return true;
    }
  }

  /** False where the connection is refused. */
  private take(socket: Socket): boolean {
    socket.on('error', ignore);
    const { remoteAddress } = socket;
    const group = this.isProxy(remoteAddress) ? undefined : addressGroup(remoteAddress);
    const verdict = this.limits.open(socket, group);
    if (verdict.kind === 'refused') {
      this.end(socket, verdict.limit);
      return false;
    }
    if (verdict.victim !== undefined) this.end(verdict.victim, 'replaced');
    this.watches.set(socket, new ConnectionWatch(monotonicMs()));
    OWNERS.set(socket, this);
    this.noteRead(socket);
    socket.once('close', () => {
      this.watches.delete(socket);
      this.limits.close(socket);
      this.answers.get(socket)?.end();
    });
    return true;
  }

  /** False where the request is not answered: it is one too many. */
  private begin(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    const watch = this.watches.get(socket);
    if (watch === undefined || socket.destroyed) return false;
    this.noteRead(socket);
    request.on('error', ignore);
    response.on('error', ignore);
    if (request instanceof GuardedRequest) this.countPieces(request);
    if (watch.requestsUnderWay >= MAX_PIPELINED) {
      this.end(socket, 'pipelined');
      return false;
    }
    const client = this.clientOf(request);
    if (!this.limits.begin(socket, client)) {
      this.countRefused('address');
      refuseBusy(response);
      return false;
    }
    watch.begin(request, monotonicMs());
    this.answersOf(socket).begin(response);
    response.once('close', () => {
      if (watch.end(request)) this.limits.end(socket, client);
    });
    return true;
  }

  private answersOf(socket: Socket): AnswersUnderWay {
    let answers = this.answers.get(socket);
    if (answers === undefined) {
      answers = new AnswersUnderWay();
      this.answers.set(socket, answers);
    }
    return answers;
  }

  /** Each piece costs hundreds of bytes and a microsecond, however small it is. */
  private countPieces(request: GuardedRequest): void {
    const { socket } = request;
    let [pieces, bytes] = [0, 0];
    request.onPiece = (size) => {
      this.noteRead(socket);
      // The parser goes on to the end of what was read.
      if (socket.destroyed) return false;
      pieces++;
      bytes += size;
      const isTooSmall = pieces > FREE_PIECES && bytes < pieces * MIN_PIECE_BYTES;
      if (isTooSmall) this.end(socket, 'pieces');
      return !isTooSmall;
    };
  }

  /** False where the request is not looked at: an answer of the same connection is still under way. */
  private upgrade(request: IncomingMessage, socket: Socket): boolean {
    const watch = this.watches.get(socket);
    if (watch === undefined || socket.destroyed) return false;
    this.noteRead(socket);
    const isAlone = watch.requestsUnderWay === 0;
    if (!isAlone || !this.limits.begin(socket, this.clientOf(request))) {
      this.end(socket, isAlone ? 'address' : 'pipelined');
      return false;
    }
    watch.upgrade(monotonicMs());
    return true;
  }

  /** The client that a trusted proxy names; undefined where the connection is the client's own. */
  private clientOf(request: IncomingMessage): string | undefined {
    return this.isProxy(request.socket.remoteAddress) ? addressGroup(this.addressOf(request)) : undefined;
  }

  private end(socket: Socket, reason: RefusedReason): void {
    this.countRefused(reason);
    socket.destroy();
  }

  private sweep(): void {
    const now = monotonicMs();
    for (const [socket, watch] of this.watches) {
      const fault = watch.faultOf(socket, this.limits.isKnown(socket), now);
      if (fault !== undefined) this.end(socket, fault);
    }
    if (now - this.reportedAt < REPORT_MS || Object.keys(this.refused).length === 0) return;
    this.reportedAt = now;
    this.parts.onRefused(this.refused);
    this.refused = {};
  }

  private countRefused(reason: RefusedReason): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }
}

function ignore(): void {}

const BUSY = JSON.stringify({
  status: 429,
  error: 'Too Many Requests',
  response: { message: ['Too many requests of this address are under way: try again'] },
});

/** In the shape of every other error. */
function refuseBusy(response: ServerResponse): void {
  response.writeHead(429, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(BUSY),
    'retry-after': '1',
    connection: 'close',
  });
  response.end(BUSY);
}
