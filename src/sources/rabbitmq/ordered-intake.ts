import type { Channel } from 'amqplib';
import type { SourceMessage } from '../../pipeline/message';
import type { MarkedQueue, OrderMarker, SecondCopies } from '../source-module';
import { markerBody, markerHeaders } from './order-marker';
import { OrderedConsumer } from './ordered-consumer';
import { PrefetchWindow } from './prefetch-window';
import type { RabbitMqSourceOptions } from './rabbitmq-source';
import type { Session } from './session';
import { orderedQueue } from './topology';
import type { TopologyKeeper } from './topology-keeper';

/** Hears of markers: nothing else of that queue comes until it resolves, where that is the ordered one. */
export type OnMarker = (by: MarkedQueue, marker: OrderMarker) => Promise<void>;

export interface OrderedIntakeParts {
  readonly options: RabbitMqSourceOptions;
  readonly keeper: TopologyKeeper;
  /** Of all other queues. */
  readonly main: Pick<PrefetchWindow, 'returned' | 'isHoldingBack'>;
  readonly instances: ReadonlySet<string>;
}

/** Of what the source may hold, what comes by the ordered queue. */
const PART_OF_BYTES = 0.25;

/** The second copy of every event, which one worker at a time gets in order: the ordered queue, while it is wanted. */
export class OrderedIntake implements SecondCopies {
  private readonly window: PrefetchWindow;
  private session: Session | undefined;
  private onMessage: (message: SourceMessage) => void = () => {};
  private consumer: OrderedConsumer | undefined;
  private publisher: Promise<Channel> | undefined;
  private listener: OnMarker = () => Promise.resolve();
  private onNew: () => void = () => {};

  constructor(private readonly parts: OrderedIntakeParts) {
    const { prefetch, maxBytes } = parts.options;
    this.window = new PrefetchWindow(prefetch, maxBytes * PART_OF_BYTES);
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.window.count, bytes: this.window.bytes };
  }

  /** Whether events that are published now come by the ordered queue, too. */
  get isBound(): boolean {
    return this.parts.keeper.isOrderedBound;
  }

  get returned(): number {
    return this.parts.main.returned;
  }

  get isHoldingBack(): boolean {
    return this.parts.main.isHoldingBack;
  }

  listen(listener: OnMarker, onNew: () => void): void {
    this.listener = listener;
    this.onNew = onNew;
  }

  /** The queue was declared just now: nothing that was published before lies in it. */
  declaredAnew(): void {
    this.onNew();
  }

  marked(by: MarkedQueue, marker: OrderMarker): Promise<void> {
    return this.listener(by, marker);
  }

  /** The ordered queue is declared, bound and consumed from now on. */
  want(): void {
    this.parts.keeper.wantOrdered();
  }

  /** Puts a marker behind everything that lies in a queue; it may get lost with the connection. */
  mark(where: MarkedQueue, marker: OrderMarker): void {
    const { session } = this;
    const { queue } = this.parts.options.topology;
    if (session === undefined || session.isLost) return;
    this.publisher ??= session.openChannel();
    const name = where === 'main' ? queue : orderedQueue(queue);
    this.publisher
      .then(
        (channel) =>
          void channel.sendToQueue(name, markerBody(marker), {
            headers: markerHeaders(marker),
            persistent: true,
          }),
        () => {
          this.publisher = undefined;
        },
      )
      .catch(() => {
        this.publisher = undefined;
      });
  }

  attach(session: Session, onMessage: (message: SourceMessage) => void): void {
    this.session = session;
    this.onMessage = onMessage;
    this.publisher = undefined;
    this.consume();
  }

  /** The keeper has declared the queue, or found that it is there. */
  consume(): void {
    const { session } = this;
    const { keeper, options, instances } = this.parts;
    if (session === undefined || this.consumer !== undefined || keeper.orderedQueues.length === 0) return;
    const queue = orderedQueue(options.topology.queue);
    this.consumer = new OrderedConsumer({
      ...{ session, queue, window: this.window, instances, log: options.log },
      onMessage: (message) => this.onMessage(message),
      onMarker: (marker) => this.listener('ordered', marker),
      onEnded: () => keeper.queueEnded(queue),
    });
  }

  stopIntake(): void {
    this.consumer?.stopIntake();
    this.session = undefined;
  }

  /** The connection is gone. */
  detach(): void {
    this.session = undefined;
    this.consumer?.abandon();
    this.consumer = undefined;
  }

  async close(): Promise<void> {
    this.session = undefined;
    await this.consumer?.close();
  }
}
