import type { IncomingMessage } from 'node:http';
import type { Redis } from 'ioredis';
import { io, type Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import {
  type Append,
  createAppend,
  type Retention,
  streamKeys,
} from '../../../src/destinations/websocket/stream';
import { WebSocketDestination } from '../../../src/destinations/websocket/websocket-destination';
import type { DestinationId } from '../../../src/pipeline/delivery';
import { Happenings, within } from '../signals/signals';
import { deliveryTo, eventBody } from '../values/events';

/** An event as a client receives it. */
export interface Received {
  readonly id: string;
  readonly event: string;
  readonly instance: string;
  readonly data: { readonly key: { readonly id: string } };
  readonly delivery_id: string;
}

const WITHIN_MS = 15_000;
const RETENTION: Retention = { maxAgeMs: 300_000, maxEvents: 1000, maxBytes: 16_777_216 };

/** Stands for a worker: hands events to the gateways as its destination does. */
export class Feeder {
  private readonly append: Append;
  private count = 0;

  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
    private readonly retention: Retention = RETENTION,
  ) {
    this.append = createAppend(redis);
  }

  destination(instance: string | undefined): WebSocketDestination {
    return new WebSocketDestination(
      {
        id: `websocket:${instance ?? 'global'}` as DestinationId,
        keys: streamKeys(this.prefix, instance),
        retention: this.retention,
        maxAttempts: 10,
        shares: [],
        limits: {},
        stripApikey: false,
      },
      this.append,
    );
  }

  /** Resolves to the keys of the events, by which `keyOf` knows them. */
  async feed(
    instance: string | undefined,
    count = 1,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<string[]> {
    const keys: string[] = [];
    for (let index = 0; index < count; index++) {
      const number = ++this.count;
      await this.feedBody(instance, eventBody(number, { instance: instance ?? 'any', ...extra }));
      keys.push(`3EB0${number}`);
    }
    return keys;
  }

  async feedBody(instance: string | undefined, body: Buffer): Promise<void> {
    const destination = this.destination(instance);
    const outcome = await destination.start(deliveryTo(destination, body)).outcome;
    if (outcome.kind !== 'delivered') throw new Error(`not fed: ${JSON.stringify(outcome)}`);
  }

  close(): void {
    this.redis.disconnect();
  }
}

export const keyOf = ({ data }: Received): string => data.key.id;

/** A plain WebSocket client: the real `ws`. */
export class PlainClient {
  readonly texts = new Happenings<string>();
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.texts.add(data.toString('utf8')));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number, reason: Buffer) =>
        resolve({ code, reason: reason.toString('utf8') }),
      );
    });
  }

  static async open(
    port: number,
    query: Readonly<Record<string, string>>,
    headers = {},
  ): Promise<PlainClient> {
    const client = new PlainClient(new WebSocket(addressOf(port, query), { headers }));
    await within(
      new Promise<void>((resolve, reject) => {
        client.socket.on('open', () => resolve());
        client.socket.on('error', reject);
      }),
      WITHIN_MS,
      () => 'open',
    );
    return client;
  }

  /** What is answered to a client that is not let in. */
  static refused(
    port: number,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: unknown }> {
    const socket = new WebSocket(addressOf(port, query), { headers });
    const answer = new Promise<{ status: number; body: unknown }>((resolve, reject) => {
      socket.on('error', () => {});
      socket.on('open', () => {
        socket.terminate();
        reject(new Error('it was let in'));
      });
      socket.on('unexpected-response', (_request, response: IncomingMessage) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      });
    });
    return within(answer, WITHIN_MS, () => 'a refusal');
  }

  async received(count: number): Promise<Received[]> {
    const texts = await this.texts.count(count);
    return texts.map((text) => JSON.parse(text) as Received);
  }

  get lastId(): string {
    return (JSON.parse(this.texts.all.at(-1) ?? '{}') as Received).id;
  }

  async close(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}

function addressOf(port: number, query: Readonly<Record<string, string>>): string {
  return `ws://127.0.0.1:${port}/?${new URLSearchParams(query)}`;
}

/** A socket.io client: the real one. */
export class IoClient {
  readonly events = new Happenings<{ readonly name: string; readonly event: Received }>();
  readonly disconnected = new Happenings<string>();

  private constructor(readonly socket: Socket) {
    socket.onAny((name: string, event: Received) => this.events.add({ name, event }));
    socket.on('disconnect', (reason) => this.disconnected.add(reason));
  }

  static create(
    port: number,
    namespace: string,
    auth: Readonly<Record<string, unknown>>,
    options: Readonly<Record<string, unknown>> = {},
  ): IoClient {
    return new IoClient(
      io(`http://127.0.0.1:${port}${namespace}`, {
        auth,
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        ...options,
      }),
    );
  }

  static async open(...args: Parameters<typeof IoClient.create>): Promise<IoClient> {
    const client = IoClient.create(...args);
    await client.connected();
    return client;
  }

  connected(): Promise<void> {
    const { socket } = this;
    return within(
      new Promise<void>((resolve, reject) => {
        if (socket.connected) return resolve();
        socket.once('connect', () => resolve());
        socket.once('connect_error', reject);
      }),
      WITHIN_MS,
      () => 'connect',
    );
  }

  /** The error of a client that is not let in. */
  static async refused(...args: Parameters<typeof IoClient.create>): Promise<Error & { data?: unknown }> {
    const client = IoClient.create(...args);
    const refusal = new Promise<Error>((resolve, reject) => {
      client.socket.once('connect_error', resolve);
      client.socket.once('connect', () => reject(new Error('it was let in')));
    });
    try {
      return await within(refusal, WITHIN_MS, () => 'a refusal');
    } finally {
      client.close();
    }
  }

  async received(count: number): Promise<Received[]> {
    return (await this.events.count(count)).map(({ event }) => event);
  }

  get lastId(): string | undefined {
    return this.events.all.at(-1)?.event.id;
  }

  close(): void {
    const transport: unknown = this.socket.io.engine?.transport;
    this.socket.disconnect();
    // A client that does not read would wait half a minute for the server's close frame.
    if (transport instanceof Object) (Reflect.get(transport, 'ws') as WebSocket | undefined)?.terminate?.();
  }
}
