import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { resetSocket } from '../../../src/redis/socket-reset';
import { freePort, HOST } from '../processes/ports';
import { Happenings } from '../signals/signals';

/** A call as it came: the action, such as ReceiveMessage, and its JSON. */
export interface SqsCall {
  readonly action: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}

/** What a call is answered instead of being passed on. */
export interface SqsAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as the service answers it. */
export function sqsError(code: string, status = 400): SqsAnswer {
  return {
    status,
    body: { __type: `com.amazonaws.sqs#${code}`, message: code },
    headers: { 'x-amzn-query-error': `${code};Sender` },
  };
}

/**
 * Stands before SQS at an address of its own: counts the calls, answers some by itself, changes answers, and goes away
 * as a whole.
 */
export class SqsProxy {
  readonly calls = new Happenings<SqsCall>();
  readonly knocks = new Happenings<undefined>();
  /** Asked before a call is passed on. `silence`: it is not, and nothing is answered, on a connection that stays open. */
  intercept: (call: SqsCall) => SqsAnswer | 'silence' | undefined = () => undefined;
  /** May change what the service answered. */
  rewrite: (call: SqsCall, answer: Record<string, unknown>) => Record<string, unknown> = (_call, answer) =>
    answer;
  private server: Server | undefined;
  private hangsUp = false;

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {}

  static async start(endpoint: string): Promise<SqsProxy> {
    const proxy = new SqsProxy(new URL(endpoint), await freePort());
    await proxy.goOnline();
    return proxy;
  }

  get endpoint(): string {
    return `http://${HOST}:${this.port}`;
  }

  countOf(action: string): number {
    return this.calls.all.filter((call) => call.action === action).length;
  }

  async goOnline(): Promise<void> {
    if (this.server !== undefined && !this.hangsUp) return;
    await this.goOffline();
    this.hangsUp = false;
    this.server = createServer((incoming, response) => {
      this.pass(incoming, response).catch(() => response.destroy());
    });
    this.server.on('connection', (socket) => socket.setMaxListeners(0));
    this.server.listen(this.port, HOST);
    await once(this.server, 'listening');
  }

  /** Connections are refused, and those there are cut. */
  async goOffline(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** Connections are reset as soon as they are there, and counted in `knocks`. */
  async hangUp(): Promise<void> {
    await this.goOffline();
    this.hangsUp = true;
    this.server = createServer().on('connection', (socket: Socket) => {
      this.knocks.add(undefined);
      resetSocket(socket);
    });
    this.server.listen(this.port, HOST);
    await once(this.server, 'listening');
  }

  /** Connections without a call under way end in good order. */
  closeConnections(): void {
    this.server?.closeIdleConnections();
  }

  private async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const action = String(incoming.headers['x-amz-target'] ?? '').replace(/^AmazonSQS\./, '');
    const body = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
    const call = { action, body, headers: incoming.headers };
    this.calls.add(call);
    const instead = this.intercept(call);
    if (instead === 'silence') return;
    if (instead !== undefined) return send(response, instead);
    const answer = await this.forward(incoming, bytes);
    send(response, { ...answer, body: this.rewrite(call, answer.body) });
  }

  private forward(
    incoming: IncomingMessage,
    bytes: Buffer,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      const { method, url, headers } = incoming;
      const onward = request(
        {
          host: this.target.hostname,
          port: this.target.port,
          method,
          path: url,
          headers: { ...headers, connection: 'close' },
          agent: false,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({ status: answer.statusCode ?? 500, body: text === '' ? {} : JSON.parse(text) });
          });
        },
      );
      onward.on('error', reject);
      // Nobody waits for the answer any more. SQS does not notice, and goes on for as long as was asked for.
      const giveUp = (): unknown => onward.destroy();
      incoming.socket.once('close', giveUp);
      onward.once('close', () => incoming.socket.off('close', giveUp));
      onward.end(bytes);
    });
  }
}

function send(response: ServerResponse, { status, body, headers }: SqsAnswer): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...headers });
  response.end(JSON.stringify(body));
}
