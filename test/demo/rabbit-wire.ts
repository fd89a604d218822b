import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { connectOptions } from '../../src/sources/rabbitmq/broker-address';
import { display } from './brokers';
import type { DemoEvent } from './events';
import type { Outlet, Wire } from './wire';

const CONNECT_TIMEOUT_MS = 10_000;
/** Works with every broker: RabbitMQ 4.1 and later refuses less. */
const FRAME_MAX = 8192;
/** Every fifth event goes out under the documented key, the others under the one that the code uses. */
const DOCUMENTED_KEY_EVERY = 5;

/** A topic exchange, and a queue of its own for each relay. */
export class RabbitWire implements Wire {
  readonly title = 'RabbitMQ';

  constructor(
    private readonly uri: string,
    private readonly exchange: string,
  ) {}

  get address(): string {
    return `RabbitMQ  ${display(this.uri)}  exchange ${this.exchange}`;
  }

  get more(): string {
    return `RABBITMQ_URI=${display(this.uri)} RABBITMQ_EXCHANGE_NAME=${this.exchange} node dist/main.js publish --count 100`;
  }

  carry(event: DemoEvent): DemoEvent {
    return event;
  }

  environmentFor(relay: string): Readonly<Record<string, string>> {
    return {
      RABBITMQ_URI: this.uri,
      RABBITMQ_FRAME_MAX: String(FRAME_MAX),
      RABBITMQ_EXCHANGE_NAME: this.exchange,
      RABBITMQ_QUEUE: relay,
    };
  }

  /** The relays declare everything themselves. */
  async prepare(): Promise<void> {}

  async open(): Promise<Outlet> {
    const connection = await this.connect();
    // Confirms change nothing in a message; they let us say what was published and not merely sent.
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange(this.exchange, 'topic', { durable: true, autoDelete: false });
    return new RabbitOutlet(connection, channel, this.exchange);
  }

  /** They may be somebody's own RabbitMQ, who would be left with our queues. */
  async remove(relays: readonly string[]): Promise<void> {
    const connection = await this.connect();
    const channel = await connection.createChannel();
    for (const queue of relays) await channel.deleteQueue(queue);
    await channel.deleteExchange(this.exchange);
    await connection.close();
  }

  private async connect(): Promise<ChannelModel> {
    const connection = await connect(connectOptions(this.uri, FRAME_MAX), { timeout: CONNECT_TIMEOUT_MS });
    // A lost connection also rejects what is awaited.
    connection.on('error', () => {});
    return connection;
  }
}

/** Publishes as the core API does (docs/core-api.md#rabbitmq): no properties, hence transient. */
class RabbitOutlet implements Outlet {
  constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
    private readonly exchange: string,
  ) {}

  publish({ event, instance, body }: DemoEvent, number: number, onTaken: () => void): void {
    const routingKey = number % DOCUMENTED_KEY_EVERY === 0 ? `${instance}.${event}` : event;
    this.channel.publish(this.exchange, routingKey, body, {}, (error) => {
      if (!error) onTaken();
    });
  }

  taken(): Promise<void> {
    return this.channel.waitForConfirms();
  }

  async close(): Promise<void> {
    await this.connection.close().catch(() => {});
  }
}
