import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

interface Entry {
  readonly id: number;
  readonly body: string;
  readonly bytes: number;
  readonly key: string;
  /** Only for consumers that follow this instance. */
  readonly instance: string | undefined;
  isAgain: boolean;
}

interface Consumer {
  readonly socket: Socket;
  readonly held: Map<number, Entry>;
  readonly instances: Set<string>;
  limits: { readonly messages: number; readonly bytes: number };
}

/** What a consumer says, one object a line. */
export type Said =
  | { readonly say: 'take'; readonly messages: number; readonly bytes: number }
  | { readonly say: 'follow'; readonly instance: string; readonly isWanted: boolean }
  | { readonly say: 'settle'; readonly id: number; readonly how: 'ack' | 'release' }
  | { readonly say: 'depth' };

/** What the broker says. */
export type Told =
  | { readonly id: number; readonly body: string; readonly key: string; readonly isAgain: boolean }
  | { readonly depth: number };

/** A broker of this process: one queue, whose messages are held by the connection that they were sent to. */
export class LinesBroker {
  private readonly consumers = new Set<Consumer>();
  private queue: Entry[] = [];
  private nextId = 1;
  private server: Server | undefined;
  port = 0;

  static async start(): Promise<LinesBroker> {
    const broker = new LinesBroker();
    await broker.goOnline();
    return broker;
  }

  /** Messages that nobody holds. */
  get waiting(): number {
    return this.queue.length;
  }

  get connections(): number {
    return this.consumers.size;
  }

  publish(body: Buffer, key = 'messages.upsert', instance?: string): void {
    const bytes = body.length;
    this.queue.push({
      id: this.nextId++,
      body: body.toString('base64'),
      bytes,
      key,
      instance,
      isAgain: false,
    });
    this.handOut();
  }

  async goOnline(): Promise<void> {
    if (this.server !== undefined) return;
    this.server = createServer((socket) => this.welcome(socket));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async goOffline(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    for (const { socket } of this.consumers) socket.destroy();
    await closed;
  }

  closeConnections(): void {
    for (const { socket } of this.consumers) socket.end();
  }

  private welcome(socket: Socket): void {
    const consumer: Consumer = {
      socket,
      held: new Map(),
      instances: new Set(),
      limits: { messages: 0, bytes: 0 },
    };
    this.consumers.add(consumer);
    socket.on('error', () => {});
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.hear(consumer, JSON.parse(line) as Said));
    lines.on('error', () => {});
    socket.on('close', () => {
      this.consumers.delete(consumer);
      this.giveBack([...consumer.held.values()]);
    });
  }

  private hear(consumer: Consumer, said: Said): void {
    switch (said.say) {
      case 'take':
        consumer.limits = said;
        break;
      case 'follow':
        if (said.isWanted) consumer.instances.add(said.instance);
        else consumer.instances.delete(said.instance);
        break;
      case 'settle': {
        const entry = consumer.held.get(said.id);
        consumer.held.delete(said.id);
        if (said.how === 'release' && entry !== undefined) return this.giveBack([entry]);
        break;
      }
      case 'depth':
        consumer.socket.write(`${JSON.stringify({ depth: this.queue.length } satisfies Told)}\n`);
    }
    this.handOut();
  }

  private giveBack(entries: readonly Entry[]): void {
    for (const entry of entries) entry.isAgain = true;
    this.queue = [...entries, ...this.queue];
    this.handOut();
  }

  /** Each message to the first consumer that has room for it; they take turns. */
  private handOut(): void {
    const left: Entry[] = [];
    for (const entry of this.queue) {
      const consumer = [...this.consumers].find((each) => hasRoom(each, entry));
      if (consumer === undefined) left.push(entry);
      else this.send(consumer, entry);
    }
    this.queue = left;
  }

  private send(consumer: Consumer, entry: Entry): void {
    const { id, body, key, isAgain } = entry;
    consumer.held.set(id, entry);
    consumer.socket.write(`${JSON.stringify({ id, body, key, isAgain } satisfies Told)}\n`);
    this.consumers.delete(consumer);
    this.consumers.add(consumer);
  }
}

function hasRoom({ held, limits, instances, socket }: Consumer, { bytes, instance }: Entry): boolean {
  if (socket.destroyed || (instance !== undefined && !instances.has(instance))) return false;
  if (held.size === 0) return limits.messages > 0;
  const taken = [...held.values()].reduce((sum, each) => sum + each.bytes, 0);
  return held.size < limits.messages && taken + bytes <= limits.bytes;
}
