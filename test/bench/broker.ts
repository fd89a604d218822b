import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import type { Cleanup } from './cleanup';

/** Publishes are confirmed after at most this many: a broker that falls behind must not hide in our memory. */
const WINDOW = 2000;

/** The benchmark's own exchange and queue, made and deleted here. */
export class Broker {
  /** Both carry a name of this run, so that nothing of anybody else's is touched. */
  readonly exchange = `relay-bench-${process.pid}`;
  readonly queue = this.exchange;
  /** The relay's own, beside it. */
  readonly orderedQueue = `${this.queue}.ordered`;
  private unconfirmed = 0;

  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {}

  static async connect(uri: string, cleanup: Cleanup): Promise<Broker> {
    const connection = await connect(uri, { noDelay: true });
    const channel = await connection.createConfirmChannel();
    const broker = new Broker(connection, channel);
    await channel.assertExchange(broker.exchange, 'topic', { durable: true, autoDelete: false });
    cleanup.add(async () => {
      await channel.deleteQueue(broker.queue);
      await channel.deleteQueue(broker.orderedQueue);
      await channel.deleteExchange(broker.exchange);
      await connection.close();
    });
    return broker;
  }

  get version(): string {
    return String(this.connection.connection.serverProperties.version);
  }

  /** A new queue, so that no measurement inherits the log of the one before. */
  async renewQueue(): Promise<void> {
    await this.channel.deleteQueue(this.queue);
    await this.channel.deleteQueue(this.orderedQueue);
    await this.channel.assertQueue(this.queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await this.channel.bindQueue(this.queue, this.exchange, '#');
  }

  /** As the core API does: to the exchange, without any properties. */
  async publish(routingKey: string, body: Buffer): Promise<void> {
    const hasRoom = this.channel.publish(this.exchange, routingKey, body);
    if (!hasRoom) await once(this.channel, 'drain');
    if (++this.unconfirmed >= WINDOW) await this.confirmed();
  }

  /** Without waiting for anything: for a pace that must be kept. */
  publishNow(routingKey: string, body: Buffer): void {
    this.channel.publish(this.exchange, routingKey, body);
  }

  async confirmed(): Promise<void> {
    this.unconfirmed = 0;
    await this.channel.waitForConfirms();
  }

  async hasConsumer(): Promise<boolean> {
    return (await this.consumers()) > 0;
  }

  async consumers(): Promise<number> {
    const { consumerCount } = await this.channel.checkQueue(this.queue);
    return consumerCount;
  }

  /** Resolves when a consumer holds all there is, or after a minute. */
  async untilTaken(): Promise<void> {
    for (let looks = 0; looks < 600 && (await this.left()) > 0; looks++) await delay(100);
  }

  /** Messages that are not acknowledged, once no consumer holds any. */
  async left(): Promise<number> {
    const { messageCount } = await this.channel.checkQueue(this.queue);
    return messageCount;
  }
}
