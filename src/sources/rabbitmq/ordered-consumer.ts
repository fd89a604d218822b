import type { Channel, ConsumeMessage } from 'amqplib';
import type { Logger } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import { Backoff } from '../../time/backoff';
import type { OrderMarker } from '../source-module';
import { amqpText } from './amqp-text';
import { OrderedTerm } from './ordered-term';
import type { PrefetchWindow } from './prefetch-window';
import { replyCodeOf, type Session } from './session';

export interface OrderedConsumerParts {
  readonly session: Pick<Session, 'answer' | 'openChannel' | 'closeChannel' | 'isLost'>;
  readonly queue: string;
  /** Of the ordered queue alone. */
  readonly window: PrefetchWindow;
  readonly instances: ReadonlySet<string>;
  readonly onMessage: (message: SourceMessage) => void;
  readonly onMarker: (marker: OrderMarker) => Promise<void>;
  /** It was deleted, or moved. */
  readonly onEnded: () => void;
  readonly log: Logger;
}

const REOPEN = { firstMs: 50, lastMs: 5000, jitter: 0.2 };
const GROW_MS = 5000;
const NOT_FOUND = 404;

/**
 * Consumes the ordered queue over one connection. The broker hands it to one consumer at a time, in order. The subscription
 * is never cancelled while anything is held, as another worker would get what follows before that is settled: the channel
 * is closed instead, with which everything goes back to where it was.
 */
export class OrderedConsumer {
  private term: OrderedTerm | undefined;
  private channel: Channel | undefined;
  private readonly pause = new Backoff(REOPEN);
  private reopening: NodeJS.Timeout | undefined;
  private readonly growing: NodeJS.Timeout;
  private isStopped = false;
  /** Channels that were given back. */
  private closing: Promise<void> = Promise.resolve();

  constructor(private readonly parts: OrderedConsumerParts) {
    this.growing = setInterval(() => this.grow(), GROW_MS);
    void this.open();
  }

  /** Takes nothing more; what is held stays held, and nobody else gets what follows. */
  stopIntake(): void {
    this.isStopped = true;
    clearTimeout(this.reopening);
    clearInterval(this.growing);
    this.term?.stop();
  }

  /** Sends every acknowledgement; the broker takes back what is held. */
  async close(): Promise<void> {
    this.stopIntake();
    const { channel, term } = this;
    const acknowledged = term?.flush() ?? [];
    this.lose();
    if (channel !== undefined) this.closeChannel(channel, acknowledged);
    await this.closing;
  }

  /** The connection is gone. */
  abandon(): void {
    this.stopIntake();
    this.lose();
  }

  private async open(): Promise<void> {
    const { session, window, instances, queue, onMessage, onMarker, onEnded } = this.parts;
    try {
      const channel = await session.openChannel();
      if (this.isStopped) return void session.closeChannel(channel, []);
      this.channel = channel;
      const term = new OrderedTerm({
        ...{ channel, queue, window, instances, onMessage, onMarker },
        onStuck: (reason) => this.giveBack(channel, reason),
      });
      this.term = term;
      channel.on('error', (error: Error) => this.lost(channel, error));
      channel.on('close', () => this.lost(channel));
      channel.on('handler-error', (error: Error) => this.giveBack(channel, amqpText(error)));
      await session.answer(channel.prefetch(window.prefetch));
      const receive = (message: ConsumeMessage | null): void => {
        if (message !== null) return term.receive(message);
        this.giveBack(channel, 'the subscription was ended');
        onEnded();
      };
      await session.answer(channel.consume(queue, receive));
      this.pause.reset();
    } catch (error) {
      if (replyCodeOf(error) === NOT_FOUND) onEnded();
      this.reopen();
    }
  }

  private giveBack(channel: Channel, reason: string): void {
    if (channel !== this.channel) return;
    this.parts.log.debug('rabbitmq: what the ordered queue handed over goes back', { reason });
    const acknowledged = this.term?.flush() ?? [];
    this.lose();
    this.closeChannel(channel, acknowledged);
    this.reopen();
  }

  private closeChannel(channel: Channel, acknowledged: Iterable<string>): void {
    const [before, closed] = [this.closing, this.parts.session.closeChannel(channel, acknowledged)];
    this.closing = before.then(() => closed);
  }

  private lost(channel: Channel, error?: Error): void {
    if (channel !== this.channel) return;
    if (error !== undefined)
      this.parts.log.warn('rabbitmq closed the ordered channel', { error: amqpText(error) });
    this.lose();
    this.reopen();
  }

  private lose(): void {
    this.term?.lose();
    this.term = undefined;
    this.channel = undefined;
  }

  private reopen(): void {
    if (this.isStopped || this.parts.session.isLost) return;
    clearTimeout(this.reopening);
    this.reopening = setTimeout(() => void this.open(), this.pause.next());
  }

  /** A larger prefetch needs another channel; while nothing is held that costs nothing. */
  private grow(): void {
    const { channel, term } = this;
    if (channel !== undefined && term?.isIdle === true && this.parts.window.grow())
      this.giveBack(channel, 'more fits into memory');
  }
}
