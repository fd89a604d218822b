import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { Origin } from '../../events/envelope';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import { Acknowledgements } from './acknowledgements';
import { closeChannel } from './close-channel';
import { Window } from './prefetch-window';

export interface ConsumerOptions {
  readonly prefetch: number;
  readonly maxBytes: number;
  /** Names of exchanges that belong to one instance, which are named like it. */
  readonly instances: ReadonlySet<string>;
  readonly onMessage: (message: SourceMessage) => void;
  /** The channel is gone, or the broker ended a subscription: everything held comes again. */
  readonly onLost: (reason: Error) => void;
}

const GROW_MS = 5000;

/** Consumes a set of queues over one channel, for as long as the channel lives. */
export class Consumer {
  private readonly tags = new Set<string>();
  private readonly acknowledgements: Acknowledgements;
  private readonly window: Window;
  private resizing: Promise<void> = Promise.resolve();
  private isResizing = false;
  private stopped = false;
  private lost = false;
  private growTimer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly channel: Channel,
    private queues: readonly string[],
    private readonly options: ConsumerOptions,
  ) {
    this.acknowledgements = new Acknowledgements(channel);
    this.window = new Window(options.prefetch, options.maxBytes);
    channel.on('error', (error: Error) => this.lose(error));
    channel.on('close', () => this.lose(new Error('channel closed')));
  }

  static async start(
    model: ChannelModel,
    queues: readonly string[],
    options: ConsumerOptions,
  ): Promise<Consumer> {
    const consumer = new Consumer(await model.createChannel(), queues, options);
    await consumer.subscribe();
    if (consumer.lost) throw new Error('channel closed');
    consumer.growTimer = setInterval(() => {
      if (consumer.window.grow()) consumer.resize();
    }, GROW_MS);
    return consumer;
  }

  /** Messages that are held. */
  get held(): number {
    return this.acknowledgements.count;
  }

  get heldBytes(): number {
    return this.window.bytes;
  }

  /** From now on these queues; what is held stays held. */
  consume(queues: readonly string[]): void {
    if (queues.length === this.queues.length && queues.every((queue) => this.queues.includes(queue))) return;
    this.queues = queues;
    this.resize();
  }

  async stopIntake(): Promise<void> {
    this.stopped = true;
    clearInterval(this.growTimer);
    await this.resizing;
    if (!this.lost) await this.unsubscribe();
  }

  /** Sends every acknowledgement; the broker takes what is still held back. */
  async close(): Promise<void> {
    clearInterval(this.growTimer);
    if (this.lost) return;
    this.acknowledgements.flushAll();
    this.lost = true;
    await closeChannel(this.channel);
    this.acknowledgements.close();
  }

  private async subscribe(): Promise<void> {
    if (this.queues.length === 0) return;
    // Per consumer: quorum queues know no limit for the whole channel.
    const prefetch = Math.max(1, Math.ceil(this.window.prefetch / this.queues.length));
    await this.channel.prefetch(prefetch);
    for (const queue of this.queues) {
      const { consumerTag } = await this.channel.consume(queue, (message) => this.receive(message));
      this.tags.add(consumerTag);
    }
  }

  private async unsubscribe(): Promise<void> {
    const tags = [...this.tags];
    this.tags.clear();
    await Promise.all(tags.map((tag) => this.channel.cancel(tag)));
  }

  private receive(message: ConsumeMessage | null): void {
    if (message === null) {
      this.lose(new Error('the broker ended the subscription: a queue was deleted or moved'));
      return;
    }
    const bytes = message.content.length;
    this.acknowledgements.hold(message);
    if (!this.window.admit(bytes)) {
      this.acknowledgements.settle(message, 'release');
      if (!this.isResizing) {
        this.window.shrink(bytes);
        this.resize();
      }
      return;
    }
    if (this.stopped) this.settle(message, 'release');
    else this.options.onMessage(this.wrap(message));
  }

  private wrap(message: ConsumeMessage): SourceMessage {
    const { exchange, routingKey } = message.fields;
    const origin = this.options.instances.has(exchange) ? { routingKey, instance: exchange } : { routingKey };
    return new RabbitMqMessage(message, origin, {
      settle: (settlement) => this.settle(message, settlement),
      isLost: () => this.lost,
    });
  }

  private settle(message: ConsumeMessage, settlement: Settlement): void {
    this.window.leave(message.content.length);
    if (!this.lost) this.acknowledgements.settle(message, settlement);
  }

  /** A prefetch holds for the subscriptions made after it, so they are made anew. */
  private resize(): void {
    if (this.stopped || this.lost) return;
    this.isResizing = true;
    this.resizing = this.unsubscribe()
      .then(() => (this.stopped ? undefined : this.subscribe()))
      .catch((error: unknown) => this.lose(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        this.isResizing = false;
      });
  }

  private lose(reason: Error): void {
    if (this.lost) return;
    this.lost = true;
    clearInterval(this.growTimer);
    this.acknowledgements.close();
    this.options.onLost(reason);
  }
}

class RabbitMqMessage implements SourceMessage {
  readonly body: Buffer;
  private isSettled = false;

  constructor(
    private readonly message: ConsumeMessage,
    readonly origin: Origin,
    private readonly channel: {
      readonly settle: (settlement: Settlement) => void;
      readonly isLost: () => boolean;
    },
  ) {
    this.body = message.content;
  }

  get publishedAt(): number | undefined {
    const { timestamp } = this.message.properties as { timestamp?: unknown };
    return typeof timestamp === 'number' ? timestamp * 1000 : undefined;
  }

  get redelivered(): boolean {
    return this.message.fields.redelivered;
  }

  get isLost(): boolean {
    return this.channel.isLost();
  }

  settle(settlement: Settlement): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.channel.settle(settlement);
  }
}
