import type { Channel, ConsumeMessage } from 'amqplib';
import { asError } from '../../errors';
import { StateMachine } from '../../lifecycle/state-machine';
import type { Logger } from '../../observability/logging';
import type { Settlement, SourceMessage } from '../../pipeline/message';
import type { OrderMarker } from '../source-module';
import { Acknowledgements } from './acknowledgements';
import { amqpText } from './amqp-text';
import { BASIC_CONSUME, isAbout, NO_METHOD } from './channel-errors';
import { CONSUMER_TRANSITIONS, type ConsumerState } from './consumer-states';
import { isMarker, readMarker } from './order-marker';
import type { PrefetchWindow } from './prefetch-window';
import { originOf, RabbitMqMessage } from './rabbitmq-message';
import { ConnectionLostError, replyCodeOf, type Session } from './session';
import { TurnedAway } from './turned-away';

/** What consumers of one connection have in common. */
export interface ConsumerParts {
  readonly session: Pick<Session, 'answer' | 'openChannel' | 'closeChannel'>;
  /** Of the source: it counts what is held over all channels, lost ones included. */
  readonly window: PrefetchWindow;
  /** Names of exchanges that belong to one instance, which are named like it. */
  readonly instances: ReadonlySet<string>;
  readonly onMessage: (message: SourceMessage) => void;
  /** The queue whose events may have a second copy, and markers between them (ordered-intake.ts). */
  readonly mainQueue?: string | undefined;
  readonly onMarker?: (marker: OrderMarker) => Promise<void>;
  readonly log: Logger;
}

export interface ConsumerListener {
  /** The channel is gone: everything held comes again. */
  readonly onLost: (loss: ConsumerLoss) => void;
  /** The broker ended a subscription: the queue was deleted, or moved. */
  readonly onEnded: (queue: string) => void;
  readonly onSubscribed: (queue: string) => void;
  /** The window was made smaller: a smaller share may be due. */
  readonly onCrowded: () => void;
}

export interface ConsumerLoss {
  readonly reason: Error;
  /** The queue whose subscription was being asked for. */
  readonly subscribing: string | undefined;
  /** The channel was lost over that very queue. */
  readonly isQueueRefused: boolean;
  /** The broker closed the channel because a message was held for longer than its consumer_timeout. */
  readonly heldTooLong: boolean;
}

/** What is wanted of a consumer: it makes its subscriptions like this, one change after the other. */
interface Wanted {
  readonly queues: ReadonlySet<string>;
  /** Prefetch of each queue. */
  readonly share: number;
}

const PRECONDITION_FAILED = 406;

/** Consumes a set of queues over one channel, for as long as the channel lives. */
export class Consumer {
  private readonly machine: StateMachine<ConsumerState>;
  private wanted: Wanted = { queues: new Set(), share: 0 };
  private channel: Channel | undefined;
  private acknowledgements: Acknowledgements | undefined;
  /** Consumer tags by queue. */
  private readonly tags = new Map<string, string>();
  /** Prefetch of the present subscriptions. */
  private share = 0;
  /** The queue whose subscription is being asked for. */
  private subscribing: string | undefined;
  /** Handed over and not settled. */
  private open = 0;
  private turnedAway: TurnedAway | undefined;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: ConsumerParts,
    private readonly listener: ConsumerListener,
  ) {
    this.machine = new StateMachine<ConsumerState>({
      name: 'rabbitmq consumer',
      initial: 'idle',
      transitions: CONSUMER_TRANSITIONS,
      log: parts.log,
    });
  }

  get state(): ConsumerState {
    return this.machine.state;
  }

  /** From now on these queues, each with this prefetch; what is held stays held. */
  want(queues: ReadonlySet<string>, share: number): void {
    const isSame =
      share === this.wanted.share &&
      queues.size === this.wanted.queues.size &&
      [...queues].every((queue) => this.wanted.queues.has(queue));
    if (isSame) return;
    this.wanted = { queues, share };
    // Where it is changing already, it goes on until it is as wanted.
    if (this.machine.move('changing')) this.work = this.reconcile();
  }

  /** Resolves once the subscriptions are as wanted, or the channel is gone. */
  settled(): Promise<void> {
    return this.work;
  }

  /** Resolves once the broker sends nothing more; what came meanwhile has gone back. */
  stopIntake(): Promise<void> {
    const before = this.work;
    if (this.machine.move('stopping')) this.work = this.unsubscribe(before);
    return this.work;
  }

  /** Sends every acknowledgement; the broker takes what is still held back. */
  async close(): Promise<void> {
    const { channel, acknowledgements } = this;
    acknowledgements?.flushAll();
    if (!this.machine.move('closed')) return;
    this.abandonHeld();
    if (channel !== undefined) await this.parts.session.closeChannel(channel, acknowledgements?.queues ?? []);
    acknowledgements?.close();
  }

  /** The connection is gone, and the channel with it. */
  abandon(): void {
    if (this.machine.move('lost')) this.abandonHeld();
  }

  /** The only place where subscriptions are made and ended: overlapping changes become one after the other. */
  private async reconcile(): Promise<void> {
    try {
      for (let target = this.wanted; this.machine.is('changing'); target = this.wanted) {
        await this.subscribeTo(target);
        if (target === this.wanted) break;
      }
      this.machine.move('consuming');
    } catch (error) {
      // Had the channel gone, this would be known by now: it is amqplib that cannot send this.
      this.lose(error, !(error instanceof ConnectionLostError));
    }
  }

  private async subscribeTo(target: Wanted): Promise<void> {
    const { session } = this.parts;
    const channel = this.channel ?? (await this.openChannel());
    const isCurrent = (): boolean => this.machine.is('changing') && target === this.wanted;
    // A prefetch holds for the subscriptions made after it, so they are made anew.
    const isResized = target.share !== this.share;
    const unwanted = [...this.tags.keys()].filter((queue) => !target.queues.has(queue));
    await this.cancel(isResized ? [...this.tags.keys()] : unwanted);
    for (const queue of unwanted) this.acknowledgements?.queueLeft(queue);
    if (!isCurrent()) return;
    if (isResized) {
      this.turnedAway?.giveBackAll();
      await session.answer(channel.prefetch(target.share));
      this.share = target.share;
    }
    for (const queue of target.queues) {
      if (!isCurrent()) return;
      if (!this.tags.has(queue)) await this.subscribe(channel, queue);
    }
  }

  private async openChannel(): Promise<Channel> {
    const channel = await this.parts.session.openChannel();
    channel.on('error', (error: Error) => this.lose(error, isAbout(error, BASIC_CONSUME)));
    channel.on('close', () => this.lose(new Error('channel closed')));
    // An error in what receives messages must not end the connection.
    channel.on('handler-error', (error: Error) => this.lose(error));
    this.channel = channel;
    this.acknowledgements = new Acknowledgements(channel);
    this.turnedAway = new TurnedAway(this.acknowledgements, this.parts.window);
    return channel;
  }

  private async subscribe(channel: Channel, queue: string): Promise<void> {
    this.subscribing = queue;
    const consuming = channel.consume(queue, (message) => {
      if (message !== null) this.receive(message, queue);
      else if (this.tags.delete(queue)) {
        this.acknowledgements?.queueLeft(queue);
        this.listener.onEnded(queue);
      }
    });
    const { consumerTag } = await this.parts.session.answer(consuming);
    this.tags.set(queue, consumerTag);
    this.subscribing = undefined;
    this.listener.onSubscribed(queue);
  }

  private async cancel(queues: readonly string[]): Promise<void> {
    const { channel } = this;
    if (channel === undefined) return;
    await Promise.all(
      queues.map(async (queue) => {
        const tag = this.tags.get(queue);
        this.tags.delete(queue);
        if (tag !== undefined) await this.parts.session.answer(channel.cancel(tag));
      }),
    );
  }

  private async unsubscribe(before: Promise<void>): Promise<void> {
    try {
      await before;
      if (!this.machine.is('stopping')) return;
      await this.cancel([...this.tags.keys()]);
      if (this.machine.move('stopped')) this.turnedAway?.giveBackAll();
    } catch (error) {
      this.lose(error);
    }
  }

  private receive(message: ConsumeMessage, queue: string): void {
    const { state } = this.machine;
    const bytes = message.content.length;
    const isTaken = state === 'consuming' || state === 'changing';
    if (isTaken && isMarker(message)) return void this.takeMarker(message, queue);
    if (!isTaken || !this.parts.window.admit(bytes)) return this.turnAway(message, isTaken);
    this.acknowledgements?.hold(message, queue);
    this.open++;
    this.parts.onMessage(this.wrap(message, queue));
  }

  /** One that did not take effect is sent again. */
  private async takeMarker(message: ConsumeMessage, queue: string): Promise<void> {
    const { acknowledgements } = this;
    acknowledgements?.hold(message, queue);
    const marker = readMarker(message);
    if (marker !== undefined) await this.parts.onMarker?.(marker).catch(() => {});
    acknowledgements?.settle(message, 'ack');
  }

  private wrap(message: ConsumeMessage, queue: string): SourceMessage {
    const wrapped = new RabbitMqMessage(message, originOf(message, this.parts.instances), this);
    if (queue === this.parts.mainQueue) wrapped.copy = 'main';
    return wrapped;
  }

  get isLost(): boolean {
    return this.machine.is('lost', 'closed');
  }

  settle(message: ConsumeMessage, settlement: Settlement): void {
    const bytes = message.content.length;
    const { window } = this.parts;
    if (this.isLost) return window.leaveAbandoned(bytes);
    this.open--;
    if (settlement === 'release') window.noteReturned();
    if (settlement === 'release' && this.machine.is('stopping')) {
      // It would come back at once: it goes when the subscription is gone.
      this.turnedAway?.add(message);
    } else this.acknowledgements?.settle(message, settlement);
    window.leave(bytes);
  }

  private turnAway(message: ConsumeMessage, isTaken: boolean): void {
    const { window } = this.parts;
    this.turnedAway?.hold(message, isTaken);
    // While subscriptions change they get a smaller share already, and of one message there is no smaller one.
    if (this.share <= 1 || !this.machine.is('consuming')) return;
    window.shrink(message.content.length);
    this.listener.onCrowded();
  }

  private lose(error: unknown, isQueueRefused = false): void {
    const reason = asError(error);
    if (!this.machine.move('lost', { reason: amqpText(reason) })) return;
    this.abandonHeld();
    this.closeWhereOpen();
    this.listener.onLost({
      reason,
      subscribing: this.subscribing,
      isQueueRefused: isQueueRefused && this.subscribing !== undefined,
      // The broker names no method for it, as it answers to none; all other errors of this code have one.
      heldTooLong: replyCodeOf(error) === PRECONDITION_FAILED && isAbout(reason, NO_METHOD),
    });
  }

  /**
   * amqplib may have failed while the channel is open: its subscriptions must not outlive this. One that the broker is
   * closing is closed a moment after it says so, and must not be closed by us: that would cost the connection.
   */
  private closeWhereOpen(): void {
    const { channel } = this;
    if (channel !== undefined) setImmediate(() => void this.parts.session.closeChannel(channel, []));
  }

  private abandonHeld(): void {
    this.acknowledgements?.close();
    this.turnedAway?.forget();
    this.parts.window.abandon(this.open);
    this.open = 0;
  }
}
