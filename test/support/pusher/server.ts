import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { resetSocket } from '../../../src/redis/socket-reset';
import { deferred, Happenings, within } from '../signals/signals';
import { type PublishedEvent, PusherApi } from './api';
import { type RoomEvent, Rooms } from './rooms';
import { type PusherApp, Refusal } from './rules';
import type { SignedRequest } from './signature';
import { ClientConnection, connectionRefusal } from './socket';
import { WebhookSender } from './webhooks';

/** One request to the HTTP API, whatever became of it. */
export interface ApiRequest extends SignedRequest {
  readonly headers: IncomingMessage['headers'];
  /** Which connection it came by, counted from 1. */
  readonly connection: number;
  /** Events that it carries, found good or not. */
  readonly events: number;
}

/** What a request gets instead of what it deserves; the events of a `late` one are taken all the same. */
export type Misbehaviour =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | { readonly lateMs: number }
  | 'hang'
  | 'reset'
  | undefined;

/**
 * Pusher in this process: its HTTP API and its WebSocket protocol on one port, as strict as the real one, for the
 * real libraries on the other end.
 */
export class PusherServer {
  /** Every event that was taken, in order. */
  readonly published = new Happenings<PublishedEvent>();
  readonly requests = new Happenings<ApiRequest>();
  /** What webhooks tell, sent or not. */
  readonly told = new Happenings<RoomEvent>();
  readonly webhooks = new WebhookSender();
  /** Whether it keeps what it got: not for millions of events. */
  remembers = true;
  misbehaviour: (request: ApiRequest) => Misbehaviour = () => undefined;
  /** Seconds by which the clock of the service is ahead of ours. */
  skewSeconds = 0;
  readonly #rooms = new Map<string, Rooms>();
  readonly #apis = new Map<string, PusherApi>();
  readonly #clients: WebSocketServer;
  readonly #connections = new WeakMap<Socket, number>();
  #connectionCount = 0;
  readonly #listeners = new Set<(event: PublishedEvent) => void>();
  readonly #watchers = new Set<() => void>();

  private constructor(
    private readonly server: Server,
    apps: readonly PusherApp[],
    private readonly givenPort: number,
  ) {
    for (const app of apps) this.addApp(app);
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket: Socket) => this.#connections.set(socket, ++this.#connectionCount));
    server.on('request', (request, response) => void this.#take(request, response));
    this.#clients = new WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      this.#clients.handleUpgrade(request, socket, head, (client) => {
        const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
        const key = /^\/app\/([^/]+)$/.exec(pathname)?.[1];
        const rooms = [...this.#rooms.values()].find(({ app }) => app.key === key);
        const refusal = connectionRefusal(rooms, searchParams);
        client.on('error', () => {});
        if (rooms !== undefined && refusal === undefined) return void new ClientConnection(client, rooms);
        const [code = 4000, message = ''] = refusal ?? [];
        client.send(JSON.stringify({ event: 'pusher:error', data: { code, message } }));
        client.close(code, message);
      });
    });
  }

  static async start(apps: readonly PusherApp[], port = 0): Promise<PusherServer> {
    const server = new PusherServer(createServer(), apps, port);
    await server.up();
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connectionCount;
  }

  addApp(app: PusherApp): void {
    const rooms = new Rooms(app, (event) => {
      this.told.add(event);
      this.webhooks.send(app, [event]);
    });
    this.#rooms.set(app.id, rooms);
    this.#apis.set(
      app.id,
      new PusherApi(rooms, (event) => {
        if (this.remembers) this.published.add(event);
        for (const listener of this.#listeners) listener(event);
      }),
    );
  }

  onPublished(listener: (event: PublishedEvent) => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves as soon as `condition` holds, which is looked at after every request. */
  until(condition: () => boolean, timeoutMs: number, what: () => string): Promise<void> {
    if (condition()) return Promise.resolve();
    const { promise, resolve } = deferred();
    const watch = (): void => {
      if (condition()) resolve();
    };
    this.#watchers.add(watch);
    return within(promise, timeoutMs, what).finally(() => this.#watchers.delete(watch));
  }

  occupied(appId: string): readonly string[] {
    return this.#rooms.get(appId)?.occupied ?? [];
  }

  /** Every client loses its connection. */
  disconnectClients(): void {
    for (const client of this.#clients.clients) client.terminate();
  }

  async up(port = this.givenPort): Promise<void> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async down(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.disconnectClients();
    this.server.closeAllConnections();
    await closed;
  }

  async stop(): Promise<void> {
    await this.webhooks.close();
    if (this.server.listening) await this.down();
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => {});
    response.on('error', () => {});
    const ended = await once(incoming, 'end').catch(() => undefined);
    if (ended === undefined) return;
    const { pathname, searchParams } = new URL(incoming.url ?? '', 'http://localhost');
    const body = Buffer.concat(chunks);
    const request: ApiRequest = {
      method: incoming.method ?? '',
      path: pathname,
      query: searchParams,
      body,
      headers: incoming.headers,
      connection: this.#connections.get(incoming.socket) ?? 0,
      get events() {
        return eventsIn(body);
      },
    };
    const misbehaviour = this.misbehaviour(request);
    this.#give(request, misbehaviour, response);
    if (this.remembers) this.requests.add(request);
    for (const watch of this.#watchers) watch();
  }

  #give(request: ApiRequest, misbehaviour: Misbehaviour, response: ServerResponse): void {
    if (misbehaviour === 'hang') return;
    if (misbehaviour === 'reset') return void (response.socket && resetSocket(response.socket));
    if (misbehaviour !== undefined && 'status' in misbehaviour) {
      const { status, headers = {}, body = '' } = misbehaviour;
      return void response.writeHead(status, headers).end(body);
    }
    const { status, body } = this.#answer(request);
    const reply = (): void => {
      const type = status === 200 ? 'application/json' : 'text/plain';
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (misbehaviour === undefined) return reply();
    const timer = setTimeout(reply, misbehaviour.lateMs);
    response.once('close', () => clearTimeout(timer));
  }

  #answer(request: ApiRequest): { readonly status: number; readonly body: string } {
    try {
      const [, id = '', path = ''] = /^\/apps\/([^/]+)(\/.*)$/.exec(request.path) ?? [];
      const api = this.#apis.get(id);
      if (api === undefined) throw new Refusal(404, `App ${id} does not exist in this cluster`);
      return {
        status: 200,
        body: JSON.stringify(api.answer(request, path, Date.now() + this.skewSeconds * 1000)),
      };
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: `${error.message}\n` };
      throw error;
    }
  }
}

function eventsIn(body: Buffer): number {
  if (body.length === 0) return 0;
  try {
    const { batch } = JSON.parse(body.toString('utf8')) as { batch?: unknown[] };
    return Array.isArray(batch) ? batch.length : 1;
  } catch {
    return 0;
  }
}
