import { setTimeout as delay } from 'node:timers/promises';
import { type ConfirmChannel, connect } from 'amqplib';
import { connectOptions } from '../../src/sources/rabbitmq/address';
import type { Brokers } from './brokers';
import { type DemoEvent, EventSupply } from './events';
import type { Publications } from './publications';

const CONNECT_TIMEOUT_MS = 10_000;
const EVENTS_PER_SECOND = 100;
/** However many events: the pace is raised so that publishing takes no longer. */
const LONGEST_SECONDS = 30;
const TICK_MS = 20;
/** After a pause (a busy machine) the pace is made up for gently: a burst would be another demo. */
const CATCH_UP = 2;
/** Every fifth event goes out under the documented key, the others under the one that the code uses. */
const DOCUMENTED_KEY_EVERY = 5;

export interface PublisherOptions {
  readonly brokers: Brokers;
  readonly exchange: string;
  readonly events: number;
  readonly publications: Publications;
}

/** Publishes as the core API does (contract B.3): topic exchange, no properties, hence transient. */
export class Publisher {
  /** Events that the broker has confirmed. */
  confirmed = 0;
  private readonly supply = new EventSupply();
  private sent = 0;

  constructor(private readonly options: PublisherOptions) {}

  get samples(): number {
    return this.supply.samples;
  }

  async publishAll(signal: AbortSignal): Promise<void> {
    const { brokers, exchange, events } = this.options;
    const connection = await connect(connectOptions(brokers.rabbitUri, brokers.frameMax), {
      timeout: CONNECT_TIMEOUT_MS,
    });
    // A lost connection also rejects what is awaited below.
    connection.on('error', () => {});
    try {
      // Confirms change nothing in a message; they let us say what was published and not merely sent.
      const channel = await connection.createConfirmChannel();
      await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
      const pace = Math.max(EVENTS_PER_SECOND, events / LONGEST_SECONDS) / 1000;
      const start = performance.now();
      while (this.sent < events) {
        const onTime = Math.ceil((performance.now() - start) * pace);
        const due = Math.min(events, onTime, this.sent + Math.ceil(TICK_MS * pace * CATCH_UP));
        while (this.sent < due) this.publish(channel, this.supply.next());
        await delay(TICK_MS, undefined, { signal });
      }
      await channel.waitForConfirms();
    } finally {
      await connection.close().catch(() => {});
    }
  }

  private publish(channel: ConfirmChannel, event: DemoEvent): void {
    this.sent++;
    const isDocumented = this.sent % DOCUMENTED_KEY_EVERY === 0;
    const routingKey = isDocumented ? `${event.instance}.${event.event}` : event.event;
    this.options.publications.add(event);
    channel.publish(this.options.exchange, routingKey, event.body, {}, (error) => {
      if (!error) this.confirmed++;
    });
  }
}
