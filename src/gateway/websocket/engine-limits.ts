import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Socket, Server as SocketIoServer } from 'socket.io';
import { addressGroup } from '../../network/client-address';
import { recognise } from '../../network/guarded-server';
import { type BudgetOptions, SharedBudget, type Taking } from '../../network/shared-budget';

type Engine = SocketIoServer['engine'];
type Connection = Socket['conn'];

export interface EngineLimitsParts {
  readonly addressOf: (request: IncomingMessage) => string;
  /** Sessions without a key: in all, and of one address group. */
  readonly sessions: BudgetOptions;
  /** Bytes of bodies whose senders showed no key; shared with the other routes. */
  readonly bodies: SharedBudget;
  readonly maxBodyBytes: number;
}

/**
 * CONNECT packets that are not answered yet, besides the first of each session: in all, and of one session. Each costs about
 * 0.1 ms of the event loop, and hundreds come in one piece, or from as many sessions in one turn: their places are given back
 * with the loop's next turn only.
 */
const FURTHER_CONNECTS: BudgetOptions = { inAll: 128, perHolder: 127 };
/** Refused CONNECTs after which a session is ended; and packets of a session that no key was shown in. */
const MAX_REFUSED = 128;
const MAX_PACKETS = 256;
/** Connections remembered of a session that no key was shown in yet: it begins on one and goes on on another. */
const MAX_SOCKETS = 4;
const FIRST: Taking = { kind: 'taken', release: () => {} };
/** First character of the packet by which a client joins a namespace. */
const CONNECT = '0';

interface Session {
  isKnown: boolean;
  /** It sent its first CONNECT. */
  hasAsked: boolean;
  packets: number;
  refused: number;
  /** Of the CONNECTs that are not answered yet. */
  readonly pending: (() => void)[];
  readonly sockets: Set<NetSocket>;
  leave: () => void;
  /** Of its address. */
  readonly group: string;
  readonly end: () => void;
}

/** As the engine's own middlewares get it. */
interface EngineRequest extends IncomingMessage {
  readonly _query?: Readonly<Record<string, string>>;
}

/** Bounds what socket.io's sessions may cost before somebody showed a key in them, below the library itself. */
export class EngineLimits {
  private readonly byId = new Map<string, Session>();
  private readonly sessions: SharedBudget;
  private readonly furtherConnects = new SharedBudget(FURTHER_CONNECTS);

  constructor(private readonly parts: EngineLimitsParts) {
    this.sessions = new SharedBudget(parts.sessions);
  }

  /** Before a session begins. */
  allowRequest(
    request: IncomingMessage,
    decide: (error: string | null | undefined, isAllowed: boolean) => void,
  ): void {
    const group = this.groupOf(request);
    let taking = this.sessions.take(group);
    if (taking.kind === 'refused' && this.endOneFor(group, taking.limit)) taking = this.sessions.take(group);
    if (taking.kind === 'taken') taking.release();
    decide(taking.kind === 'taken' ? null : 'too many sessions', taking.kind === 'taken');
  }

  watch(engine: Engine): void {
    engine.use((request: EngineRequest, response: ServerResponse, next: () => void) => {
      const session = this.byId.get(request._query?.['sid'] ?? '');
      if (session !== undefined) follow(session, request.socket);
      if (session?.isKnown === true || request.method !== 'POST' || this.takeBody(request)) next();
      else response.writeHead(503, { 'retry-after': '5', connection: 'close' }).end();
    });
    // Before socket.io's own listener, so that ours counts a packet first.
    engine.prependListener('connection', (connection: Connection) => this.begin(connection));
  }

  /** A key was shown, or none was needed. */
  admitted(connection: Connection): void {
    const session = this.byId.get(idOf(connection));
    if (session === undefined) return;
    session.pending.shift()?.();
    session.isKnown = true;
    session.leave();
    for (const socket of session.sockets) recognise(socket);
    session.sockets.clear();
  }

  refused(connection: Connection): void {
    const session = this.byId.get(idOf(connection));
    if (session === undefined) return;
    session.pending.shift()?.();
    session.refused++;
    if (session.refused >= MAX_REFUSED) connection.close(true);
  }

  /**
   * As with connections, the oldest session in which no key was shown yet goes for a new one, of the address that has most
   * of them: a client with a key shows it within a round trip, and is not kept out by those that show none.
   */
  private endOneFor(group: string, limit: 'holder' | 'all'): boolean {
    const unknown = [...this.byId.values()].filter(({ isKnown }) => !isKnown);
    const largest = limit === 'holder' ? group : largestOf(unknown, group);
    const oldest = unknown.find((session) => session.group === largest);
    oldest?.end();
    return oldest !== undefined;
  }

  private begin(connection: Connection): void {
    const group = this.groupOf(connection.request);
    const taking = this.sessions.take(group);
    if (taking.kind === 'refused') {
      connection.close(true);
      return;
    }
    const session: Session = {
      isKnown: false,
      hasAsked: false,
      packets: 0,
      refused: 0,
      pending: [],
      sockets: new Set([connection.request.socket]),
      leave: taking.release,
      group,
      end: () => connection.close(true),
    };
    const id = idOf(connection);
    this.byId.set(id, session);
    connection.on('data', (data: unknown) => this.take(connection, session, data));
    connection.once('close', () => {
      this.byId.delete(id);
      session.leave();
      for (const release of session.pending.splice(0)) release();
    });
  }

  private take(connection: Connection, session: Session, data: unknown): void {
    session.packets++;
    const isTooMuch = !session.isKnown && session.packets > MAX_PACKETS;
    const isConnect = typeof data === 'string' && data.startsWith(CONNECT);
    if (isTooMuch || (isConnect && !this.takeConnect(connection, session))) connection.close(true);
  }

  private takeConnect(connection: Connection, session: Session): boolean {
    const { hasAsked, pending } = session;
    session.hasAsked = true;
    const taking = hasAsked ? this.furtherConnects.take(idOf(connection)) : FIRST;
    if (taking.kind === 'taken') pending.push(() => setImmediate(taking.release));
    return taking.kind === 'taken';
  }

  private takeBody(request: IncomingMessage): boolean {
    const { bodies, maxBodyBytes } = this.parts;
    const declared = Number(request.headers['content-length']);
    const bytes = declared >= 0 ? Math.min(declared, maxBodyBytes) : maxBodyBytes;
    if (bytes === 0) return true;
    const taking = bodies.take(this.groupOf(request), bytes);
    if (taking.kind === 'taken') request.once('close', taking.release);
    return taking.kind === 'taken';
  }

  private groupOf(request: IncomingMessage): string {
    return addressGroup(this.parts.addressOf(request));
  }
}

/** The address with most sessions; the new one's own where others have no more. */
function largestOf(sessions: readonly Session[], own: string): string {
  const counts = new Map<string, number>();
  for (const { group } of sessions) counts.set(group, (counts.get(group) ?? 0) + 1);
  let largest = own;
  for (const [group, count] of counts) if (count > (counts.get(largest) ?? 0)) largest = group;
  return largest;
}

/** The connection on which a session goes on. */
function follow({ isKnown, sockets }: Session, socket: NetSocket): void {
  if (isKnown) recognise(socket);
  else if (sockets.size < MAX_SOCKETS) sockets.add(socket);
  else {
    const [oldest] = sockets;
    if (oldest !== undefined && !sockets.has(socket)) sockets.delete(oldest);
    sockets.add(socket);
  }
}

/** Not in the library's types, but what its documentation calls it by. */
function idOf(connection: Connection): string {
  return (connection as unknown as { readonly id: string }).id;
}
