import type { Channel, ConsumeMessage } from 'amqplib';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import { Unnested } from '../../time/unnested';
import type { OrderMarker } from '../source-module';
import { Acknowledgements } from './acknowledgements';
import { isMarker, readMarker } from './order-marker';
import type { PrefetchWindow } from './prefetch-window';
import { type MessageChannel, originOf, RabbitMqMessage } from './rabbitmq-message';

export interface OrderedTermParts {
  readonly channel: Channel;
  readonly queue: string;
  readonly window: PrefetchWindow;
  readonly instances: ReadonlySet<string>;
  readonly onMessage: (message: SourceMessage) => void;
  /** Called when everything before it is settled; nothing else comes until it resolves. */
  readonly onMarker: (marker: OrderMarker) => Promise<void>;
  /** What is held must go back, in its order: this channel is to be closed. */
  readonly onStuck: (reason: string) => void;
}

/**
 * `taking`: what comes is handed over. `stopped`: it goes back with the channel; what was handed over can still be settled.
 * `lost`: the channel is gone, for good.
 */
type TermState = 'taking' | 'stopped' | 'lost';

/**
 * What comes by the ordered queue over one channel. Nothing is ever rejected, as a rejected message would come again behind
 * others: what cannot be taken or was not settled goes back with the channel, which keeps the order.
 */
export class OrderedTerm implements MessageChannel {
  private state: TermState = 'taking';
  private readonly acknowledgements: Acknowledgements;
  /** A marker that waits for what is before it, and what came since. */
  private readonly waiting: ConsumeMessage[] = [];
  private open = 0;
  private isMarking = false;
  private readonly handingOver = new Unnested();

  constructor(private readonly parts: OrderedTermParts) {
    this.acknowledgements = new Acknowledgements(parts.channel);
  }

  get isLost(): boolean {
    return this.state === 'lost';
  }

  get isIdle(): boolean {
    return this.open === 0 && this.waiting.length === 0;
  }

  receive(message: ConsumeMessage): void {
    if (this.state !== 'taking') return;
    const { queue, window, onStuck } = this.parts;
    const bytes = message.content.length;
    if (!window.admit(bytes)) {
      window.shrink(bytes);
      this.stop();
      return onStuck('what came does not fit into memory');
    }
    this.acknowledgements.hold(message, queue);
    this.waiting.push(message);
    if (this.waiting.length === 1) this.handOver();
  }

  settle(message: ConsumeMessage, settlement: Settlement): void {
    const bytes = message.content.length;
    if (this.isLost) return this.parts.window.leaveAbandoned(bytes);
    this.open--;
    this.parts.window.leave(bytes);
    if (settlement === 'ack') this.acknowledgements.settle(message, 'ack');
    else if (this.state === 'taking') this.parts.onStuck('a message was not settled');
    this.handOver();
  }

  /** Nothing is taken any more; what comes goes back with the channel. */
  stop(): void {
    if (this.state === 'taking') this.state = 'stopped';
  }

  /** Sends every acknowledgement; the queues that there are any of. */
  flush(): Iterable<string> {
    this.acknowledgements.flushAll();
    return this.acknowledgements.queues;
  }

  /** The channel is gone. */
  lose(): void {
    if (this.isLost) return;
    this.state = 'lost';
    this.acknowledgements.close();
    for (const message of this.waiting.splice(0)) this.parts.window.leave(message.content.length);
    this.parts.window.abandon(this.open);
    this.open = 0;
  }

  /** Up to the next marker, which waits until everything before it is settled. */
  private handOver(): void {
    this.handingOver.run(() => this.handOverAll());
  }

  /** What nobody wants is settled as soon as it is handed over. */
  private handOverAll(): void {
    for (
      let first = this.waiting[0];
      first !== undefined && this.state === 'taking' && !this.isMarking;
      first = this.waiting[0]
    ) {
      if (isMarker(first)) {
        if (this.open === 0) void this.takeMarker(first);
        return;
      }
      this.waiting.shift();
      this.open++;
      this.parts.onMessage(this.wrap(first));
    }
  }

  private async takeMarker(message: ConsumeMessage): Promise<void> {
    const marker = readMarker(message);
    this.isMarking = true;
    // One that did not take effect is sent again.
    if (marker !== undefined) await this.parts.onMarker(marker).catch(() => {});
    this.isMarking = false;
    if (this.isLost) return;
    this.waiting.shift();
    this.parts.window.leave(message.content.length);
    this.acknowledgements.settle(message, 'ack');
    this.handOver();
  }

  private wrap(message: ConsumeMessage): SourceMessage {
    const wrapped = new RabbitMqMessage(message, originOf(message, this.parts.instances), this);
    wrapped.copy = 'ordered';
    return wrapped;
  }
}
