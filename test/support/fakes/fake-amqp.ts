import { EventEmitter } from 'node:events';
import type { ChannelModel, ConsumeMessage } from 'amqplib';
import { deferred } from '../signals/signals';

/** What the broker makes of a call: refusals close the channel, or the whole connection. */
export type FakeAnswer =
  | 'ok'
  | 'never'
  | { readonly refuse: number; readonly classId?: number; readonly methodId?: number }
  | { readonly closeConnection: number }
  | { readonly throws: Error };

type Receive = (message: ConsumeMessage | null) => void;

/** An error as amqplib makes it of a broker's reply. */
export function replyError(code: number, classId = 0, methodId = 0): Error {
  return Object.assign(new Error(`refused with ${code}`), { code, classId, methodId });
}

/** A broker in this process: it answers as it is told, and keeps what it was asked. */
export class FakeBroker {
  version = '3.10.8';
  /** By call, such as `consume orders`; the connection's own are `createChannel` and `close`. */
  answer: (call: string) => FakeAnswer = () => 'ok';
  readonly calls: string[] = [];
  hasOrderedQueue = false;
  readonly models: FakeModel[] = [];

  readonly connect = async (): Promise<ChannelModel> => {
    const model = new FakeModel(this);
    this.models.push(model);
    return model as unknown as ChannelModel;
  };

  get consumers(): readonly FakeConsumer[] {
    return this.models
      .flatMap(({ channels }) => channels)
      .flatMap(({ consumers }) => [...consumers.values()]);
  }

  /** Hands a message to the one that consumes the queue, as many as there are. */
  deliver(queue: string, body = 'x', redelivered = false): void {
    for (const consumer of this.consumers)
      if (consumer.queue === queue) consumer.channel.deliver(consumer, body, redelivered);
  }

  count(call: string): number {
    return this.calls.filter((each) => each === call).length;
  }
}

export interface FakeConsumer {
  readonly queue: string;
  readonly tag: string;
  readonly receive: Receive;
  readonly channel: FakeChannel;
}

class FakeModel extends EventEmitter {
  readonly channels: FakeChannel[] = [];
  readonly connection: { readonly serverProperties: { readonly version: string } };

  constructor(readonly broker: FakeBroker) {
    super();
    this.connection = { serverProperties: { version: broker.version } };
  }

  async createChannel(): Promise<FakeChannel> {
    const channel = new FakeChannel(this);
    await channel.call('createChannel');
    this.channels.push(channel);
    return channel;
  }

  async close(): Promise<void> {
    this.broker.calls.push('close');
    if (this.broker.answer('close') === 'never') return deferred().promise;
    this.lose();
  }

  /** The connection goes: in good order, or with a reply code. */
  lose(error?: Error): void {
    for (const channel of this.channels) channel.end();
    if (error !== undefined) this.emit('error', error);
    this.emit('close', error);
  }
}

export class FakeChannel extends EventEmitter {
  readonly consumers = new Map<string, FakeConsumer>();
  readonly settled: string[] = [];
  private readonly pending = new Set<(error: Error) => void>();
  private isClosed = false;
  private isRefused = false;
  private tags = 0;

  constructor(readonly model: FakeModel) {
    super();
  }

  checkExchange = (name: string): Promise<unknown> => this.call(`checkExchange ${name}`);
  assertExchange = (name: string, type: string): Promise<unknown> =>
    this.call(`assertExchange ${name} ${type}`);
  assertQueue = (name: string): Promise<unknown> => this.call(`assertQueue ${name}`);
  bindQueue = (queue: string, exchange: string, key: string): Promise<unknown> =>
    this.call(`bindQueue ${queue} ${exchange} ${key}`);
  unbindQueue = (queue: string, exchange: string, key: string): Promise<unknown> =>
    this.call(`unbindQueue ${queue} ${exchange} ${key}`);
  prefetch = (count: number): Promise<unknown> => this.call(`prefetch ${count}`);

  async checkQueue(name: string): Promise<{ messageCount: number; consumerCount: number }> {
    const isMissing = name.endsWith('.ordered') && !this.model.broker.hasOrderedQueue;
    if (isMissing) {
      this.refuse(replyError(404, 50, 10));
      throw replyError(404, 50, 10);
    }
    await this.call(`checkQueue ${name}`);
    return { messageCount: 0, consumerCount: 0 };
  }

  async consume(queue: string, receive: Receive): Promise<{ consumerTag: string }> {
    await this.call(`consume ${queue}`, 60, 20);
    const tag = `${queue}-${this.model.broker.calls.length}`;
    this.consumers.set(tag, { queue, tag, receive, channel: this });
    return { consumerTag: tag };
  }

  async cancel(tag: string): Promise<void> {
    await this.call(`cancel ${this.consumers.get(tag)?.queue}`);
    this.consumers.delete(tag);
  }

  async close(): Promise<void> {
    if (this.isClosed) throw new Error('Channel closed');
    // A broker that has closed the channel takes nothing but a new one.
    if (this.isRefused) this.model.lose(replyError(504));
    else this.end();
  }

  ack({ fields }: ConsumeMessage, multiple: boolean): void {
    this.settled.push(`ack ${fields.deliveryTag}${multiple ? ' and before' : ''}`);
  }

  nack({ fields }: ConsumeMessage): void {
    this.settled.push(`nack ${fields.deliveryTag}`);
  }

  deliver({ queue, tag, receive }: FakeConsumer, body: string, redelivered: boolean): void {
    const fields = {
      deliveryTag: ++this.tags,
      redelivered,
      exchange: 'e',
      routingKey: queue,
      consumerTag: tag,
    };
    receive({ content: Buffer.from(body), fields, properties: {} } as unknown as ConsumeMessage);
  }

  /** The broker closes the channel. */
  refuse(error: Error): void {
    this.isRefused = true;
    this.emit('error', error);
    this.end();
  }

  end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.consumers.clear();
    for (const reject of this.pending) reject(new Error('Channel ended, no reply will be forthcoming'));
    this.emit('close');
  }

  async call(call: string, classId = 50, methodId = 10): Promise<void> {
    const { broker } = this.model;
    broker.calls.push(call);
    const answer = broker.answer(call);
    if (typeof answer === 'object' && 'throws' in answer) throw answer.throws;
    // As over a network: nothing is answered in the same turn.
    await new Promise<void>((resolve, reject) => {
      this.pending.add(reject);
      const done = (): void => {
        this.pending.delete(reject);
        resolve();
      };
      if (answer !== 'never') setImmediate(done);
    });
    if (answer === 'ok' || answer === 'never') return;
    if ('refuse' in answer) {
      const error = replyError(answer.refuse, answer.classId ?? classId, answer.methodId ?? methodId);
      this.refuse(error);
      throw error;
    }
    this.model.lose(replyError(answer.closeConnection));
    throw new Error('Channel ended, no reply will be forthcoming');
  }
}
