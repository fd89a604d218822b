import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { Fields, Logger } from '../../../src/observability/logging';
import { RabbitMqSource, type RabbitMqSourceOptions } from '../../../src/sources/rabbitmq/rabbitmq-source';
import { AmqpProxy } from '../proxies/amqp-proxy';
import { Happenings } from '../signals/signals';

export interface SourceLimits {
  readonly maxMessages?: number;
  readonly maxBytes?: number;
}

export const QUORUM = { durable: true, autoDelete: false, arguments: { 'x-queue-type': 'quorum' } };
export const TOPIC = { durable: true, autoDelete: false };

/** Queues and exchanges of its own on the broker at RABBITMQ_URI; all of them gone with `close`. */
export class RabbitHarness {
  /** What the sources logged. */
  readonly logged = new Happenings<readonly [message: string, fields: Fields | undefined]>();
  readonly prefix = `test-${randomUUID().slice(0, 8)}`;
  readonly exchange = `${this.prefix}.evolution`;
  readonly queue = `${this.prefix}.relay`;
  private readonly sources: RabbitMqSource[] = [];
  private readonly exchanges = new Set<string>();
  private readonly queues = new Set<string>();

  private constructor(
    readonly admin: ChannelModel,
    readonly channel: ConfirmChannel,
    readonly proxy: AmqpProxy,
  ) {}

  static async open(): Promise<RabbitHarness> {
    const uri = process.env['RABBITMQ_URI'];
    if (uri === undefined) throw new Error('RABBITMQ_URI must be set: start the tests with `npm test`');
    const admin = await connect(uri);
    const harness = new RabbitHarness(admin, await admin.createConfirmChannel(), await AmqpProxy.start(uri));
    await harness.declareExchange(harness.exchange);
    harness.queues.add(harness.queue);
    return harness;
  }

  /** A source that is stopped with the harness. */
  create(limits: SourceLimits = {}, others: Partial<RabbitMqSourceOptions> = {}): RabbitMqSource {
    const source = new RabbitMqSource({
      uri: this.proxy.uri,
      frameMax: 8192,
      prefetch: limits.maxMessages ?? 250,
      maxBytes: limits.maxBytes ?? 64 * 1024 * 1024,
      exchanges: [{ name: this.exchange, events: 'all' }],
      topology: { mode: 'dedicated', queue: this.queue, prefixKey: this.prefix },
      log: this.log,
      ...others,
    });
    this.sources.push(source);
    return source;
  }

  async declareExchange(name: string, type = 'topic'): Promise<string> {
    this.exchanges.add(name);
    await this.channel.assertExchange(name, type, TOPIC);
    return name;
  }

  /** As the core API does (docs/core-api.md#rabbitmq). */
  async declareQueue(queue: string, exchange: string, pattern: string): Promise<void> {
    this.queues.add(queue);
    await this.channel.assertQueue(queue, QUORUM);
    await this.channel.bindQueue(queue, exchange, pattern);
  }

  /** To be removed with the harness, whoever declares it. */
  willExist(what: { readonly queues?: readonly string[]; readonly exchanges?: readonly string[] }): void {
    for (const queue of what.queues ?? []) this.queues.add(queue);
    for (const exchange of what.exchanges ?? []) this.exchanges.add(exchange);
  }

  /** As the core API does, without properties; resolves once the broker has it. */
  async publish(
    body: Buffer | string,
    routingKey = 'messages.upsert',
    exchange = this.exchange,
  ): Promise<void> {
    this.channel.publish(exchange, routingKey, Buffer.from(body));
    await this.channel.waitForConfirms();
  }

  /** Messages that nobody holds. */
  async waiting(queue = this.queue): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  /** A channel that may fail without ending the others. */
  async tryOn(work: (channel: Channel) => Promise<unknown>): Promise<void> {
    const channel = await this.admin.createChannel();
    channel.on('error', () => {});
    await work(channel);
    await channel.close();
  }

  async close(): Promise<void> {
    for (const source of this.sources) await source.close();
    // What amqplib cannot send was never declared.
    const fits = (name: string): boolean => Buffer.byteLength(name) <= 255;
    for (const queue of [...this.queues].filter(fits)) await this.channel.deleteQueue(queue);
    for (const exchange of [...this.exchanges].filter(fits)) await this.channel.deleteExchange(exchange);
    await this.proxy.goOffline();
    await this.admin.close();
  }

  private get log(): Logger {
    const add = (message: string, fields?: Fields): void => this.logged.add([message, fields]);
    return { error: add, warn: add, info: add, debug: () => {}, isDebug: false };
  }
}
