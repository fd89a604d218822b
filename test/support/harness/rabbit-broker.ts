import { type OutgoingEvent, Publisher } from '../clients/publisher';
import type { Environment } from '../processes/relay';

/** Where a scenario's events are published, and a worker takes them from. */
export interface ScenarioBroker {
  /** What a worker needs to consume from it. */
  readonly env: Environment;
  /** Resolves when the broker has them all. */
  publish(events: readonly OutgoingEvent[], perSecond?: number): Promise<void>;
  /** Messages that are ready in the queue. */
  queueLength(): Promise<number>;
  close(): Promise<void>;
}

/** An exchange and a queue of the scenario's own. */
export class RabbitBroker implements ScenarioBroker {
  readonly env: Environment;
  readonly publisher: Publisher;

  constructor(
    uri: string,
    private readonly name: string,
  ) {
    this.env = { RABBITMQ_URI: uri, RABBITMQ_EXCHANGE_NAME: name, RABBITMQ_QUEUE: name };
    this.publisher = new Publisher(uri, name);
  }

  publish(events: readonly OutgoingEvent[], perSecond?: number): Promise<void> {
    return this.publisher.publish(events, perSecond);
  }

  async queueLength(): Promise<number> {
    const { messageCount } = await this.publisher.withChannel((channel) => channel.checkQueue(this.name));
    return messageCount;
  }

  async close(): Promise<void> {
    try {
      await this.publisher.withChannel(async (channel) => {
        await channel.deleteQueue(this.name);
        await channel.deleteExchange(this.name);
      });
    } finally {
      await this.publisher.close();
    }
  }
}
