import { setTimeout as delay } from 'node:timers/promises';
import { asError, errorCode } from '../../errors';
import { StateMachine } from '../../lifecycle/state-machine';
import type { Logger } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import { counted } from '../../plural';
import { Backoff } from '../../time/backoff';
import { monotonicMs } from '../../time/monotonic';
import type { Source } from '../source';
import type { KeptNotes } from '../source-module';
import { amqpText } from './amqp-text';
import { displayAddress } from './broker-address';
import type { ListedQueue } from './listed-queues';
import { OrderedIntake } from './ordered-intake';
import type { QueueDepth } from './queue-depths';
import { composeRabbitMq, type RabbitMqParts } from './rabbitmq-parts';
import type { Refused } from './refusals';
import { type Connect, type ConnectionLostError, Session } from './session';
import { SOURCE_TRANSITIONS, type SourceState } from './source-states';
import { Subscriptions } from './subscriptions';
import type { ConsumedExchange, TopologyOptions } from './topology';

export interface RabbitMqSourceOptions {
  readonly uri: string;
  readonly frameMax: number;
  readonly prefetch: number;
  readonly maxBytes: number;
  readonly exchanges: readonly ConsumedExchange[];
  readonly topology: TopologyOptions;
  /** Queues that are consumed as they are. */
  readonly queues?: readonly ListedQueue[];
  readonly log: Logger;
  /** What was bound, beyond the life of a process; left out, nothing is remembered. */
  readonly notes?: KeptNotes;
  /** In place of a connection to `uri`. */
  readonly connect?: Connect;
  /** After this at most queues and bindings are looked at again; once a minute where it is not given. */
  readonly recheckMs?: number;
}

const RECONNECT = { firstMs: 200, lastMs: 10_000, jitter: 0.2 };
/** The broker is asked something every few seconds: without an answer for so long the source is not ready. */
const ANSWERED_WITHIN_MS = 20_000;
/** A consumer_timeout comes again for as long as its cause lasts. */
const WARN_AGAIN_MS = 3_600_000;

/**
 * Consumes from RabbitMQ, and reconnects for ever. What the broker refuses leaves out that exchange or queue alone;
 * what is held is bounded over all connections together.
 */
export class RabbitMqSource implements Source {
  readonly name = 'rabbitmq';
  private readonly machine: StateMachine<SourceState>;
  private readonly parts: RabbitMqParts;
  /** The second copy of each event; nothing comes of it until it is wanted. */
  readonly ordered: OrderedIntake;
  private readonly reconnecting = new Backoff(RECONNECT);
  /** Names of exchanges that belong to one instance; consumers look at it while it changes. */
  private readonly instances = new Set<string>();
  private readonly stop = new AbortController();
  private session: Session | undefined;
  private subscriptions: Subscriptions | undefined;
  private running: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private waitingFor = 'not started';
  private warnedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: RabbitMqSourceOptions) {
    const { log, exchanges } = options;
    this.machine = new StateMachine<SourceState>({
      name: this.name,
      initial: 'idle',
      transitions: SOURCE_TRANSITIONS,
      log,
    });
    this.parts = composeRabbitMq({
      options,
      stopped: this.stop.signal,
      onQueue: (queue, isWanted) => {
        if (isWanted) this.subscriptions?.add(queue);
        else this.subscriptions?.remove(queue);
      },
      onPass: () => {
        this.ordered.consume();
        void this.consumeAll();
      },
      onOrderedNew: () => this.ordered.declaredAnew(),
    });
    const { keeper, window: main } = this.parts;
    this.ordered = new OrderedIntake({ options, keeper, main, instances: this.instances });
    for (const exchange of exchanges) this.consumeExchange(exchange);
  }

  /** Ready: everything the source is configured for comes in, and the broker has answered lately. */
  get state(): { readonly ready: boolean; readonly detail: string } {
    if (!this.machine.is('consuming')) return { ready: false, detail: this.waitingFor };
    const silentMs = monotonicMs() - (this.session?.answeredAt ?? 0);
    if (silentMs > ANSWERED_WITHIN_MS) {
      return { ready: false, detail: `the broker has not answered for ${Math.round(silentMs / 1000)} s` };
    }
    const { essential } = this.parts.refusals;
    const count = this.subscriptions?.count ?? 0;
    const consuming = `consuming ${counted(count, 'queue')}`;
    const [first] = this.parts.refusals.first;
    const leftOut = essential ?? first;
    if (leftOut === undefined) return { ready: true, detail: consuming };
    const detail = `${consuming}; ${this.parts.refusals.size} left out, such as ${leftOut.what} (${leftOut.code})`;
    return { ready: essential === undefined && count > 0, detail };
  }

  /** What the broker refuses at present, the first hundred; everything else is consumed. */
  get refused(): readonly Refused[] {
    return this.parts.refusals.first;
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    const { window } = this.parts;
    const { messages, bytes } = this.ordered.held;
    return { messages: window.count + messages, bytes: window.bytes + bytes };
  }

  /** Called again, it does nothing, as `close` does. */
  async start(onMessage: (message: SourceMessage) => void): Promise<void> {
    if (this.moveTo('connecting', this.connectingTo)) this.running = this.run(onMessage);
  }

  /** Consumes an exchange too, or with another filter than before; as soon as the broker is there. */
  consumeExchange(exchange: ConsumedExchange): void {
    // An instance that is named like the operator's exchange does not get what comes by that one.
    const { reserved = [] } = this.options.topology;
    if (exchange.instance !== undefined && !reserved.includes(exchange.name))
      this.instances.add(exchange.name);
    this.parts.keeper.put(exchange);
  }

  /** Consumes the exchange of an instance no longer. */
  dropExchange(instance: string): void {
    this.parts.keeper.drop(instance);
  }

  /** Instances whose exchanges an earlier process has bound. */
  notedInstances(): Promise<readonly string[]> {
    return this.parts.unwanted.notedInstances();
  }

  async stopIntake(): Promise<void> {
    this.moveTo('stopping', 'stopping');
    // A connection that is being made is given up, a pause ends.
    this.stop.abort();
    this.parts.keeper.stop();
    this.ordered.stopIntake();
    await this.subscriptions?.stopIntake();
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect();
    return this.closing;
  }

  /** Empty where the broker is away. */
  async depths(): Promise<QueueDepth[]> {
    const { session } = this;
    if (session === undefined) return [];
    // Where the connection breaks meanwhile, the source itself reports it.
    return this.parts.queueDepths.read(session).catch(() => []);
  }

  private get connectingTo(): string {
    return `connecting to ${displayAddress(this.options.uri)}`;
  }

  private moveTo(state: SourceState, waitingFor: string): boolean {
    const isMoved = this.machine.move(state);
    if (isMoved) this.waitingFor = waitingFor;
    return isMoved;
  }

  private async disconnect(): Promise<void> {
    // Before the intake is stopped, which nobody has waited for where this is called alone.
    await this.stopIntake();
    const { session } = this;
    await Promise.all([this.subscriptions?.close(), this.ordered.close()]);
    if (session?.lostBy !== undefined) this.lostTooEarly(session.lostBy);
    await session?.close();
    await this.running;
    await this.parts.unwanted.letGo();
    this.moveTo('closed', 'closed');
  }

  private lostTooEarly(reason: ConnectionLostError): void {
    this.options.log.warn(
      'rabbitmq: the connection ended before queues had taken all: events may come again',
      {
        code: reason.code,
        error: amqpText(reason),
      },
    );
  }

  private async run(onMessage: (message: SourceMessage) => void): Promise<void> {
    while (this.machine.is('connecting')) {
      const reason = await this.serve(onMessage);
      if (!this.moveTo('waiting', `waiting for the broker: ${errorCode(reason)}`)) return;
      this.options.log.warn('rabbitmq unavailable', { code: errorCode(reason), error: amqpText(reason) });
      await this.pause();
      this.moveTo('connecting', `${this.waitingFor}, ${this.connectingTo}`);
    }
  }

  /** Serves one connection, and resolves with the reason for which it ended, or could not be made. */
  private async serve(onMessage: (message: SourceMessage) => void): Promise<Error> {
    let session: Session;
    try {
      session = await Session.open(this.parts.connect, this.stop.signal);
    } catch (error) {
      return asError(error);
    }
    if (!this.moveTo('declaring', `declaring at ${displayAddress(this.options.uri)}`)) {
      await session.close();
      return new Error('stopped while connecting');
    }
    this.session = session;
    this.subscriptions = this.subscribe(session, onMessage);
    this.ordered.attach(session, onMessage);
    const kept = this.parts.keeper.run(session).catch((error: unknown) => this.failed(session, error));
    const reason = await session.lost;
    this.subscriptions.abandon();
    this.ordered.detach();
    this.subscriptions = undefined;
    this.session = undefined;
    await kept;
    return reason;
  }

  private subscribe(session: Session, onMessage: (message: SourceMessage) => void): Subscriptions {
    const { instances, options } = this;
    const { window, refusedQueues: refused, keeper } = this.parts;
    const subscriptions = new Subscriptions({
      session,
      window,
      instances,
      onMessage,
      refused,
      mainQueue: options.topology.mode === 'dedicated' ? options.topology.queue : undefined,
      onMarker: (marker) => this.ordered.marked('main', marker),
      log: options.log,
      onEnded: (queue) => this.queueEnded(queue),
      onHeldTooLong: (reason) => this.heldTooLong(reason),
    });
    // What is known from the connection before is consumed at once, while everything is looked at again.
    for (const queue of keeper.queues) subscriptions.add(queue);
    return subscriptions;
  }

  /** Everything was looked at: the source is ready once it consumes what there is. */
  private async consumeAll(): Promise<void> {
    const { session, subscriptions } = this;
    if (!this.machine.is('declaring') || session === undefined || subscriptions === undefined) return;
    await subscriptions.settled();
    if (session !== this.session || session.isLost || this.parts.keeper.isBehind) return;
    if (!this.moveTo('consuming', 'consuming')) return;
    this.reconnecting.reset();
    this.options.log.info('rabbitmq connected', {
      address: displayAddress(this.options.uri),
      queues: subscriptions.count,
    });
  }

  private queueEnded(queue: string): void {
    this.options.log.warn('rabbitmq ended a subscription: the queue was deleted or moved', { queue });
    this.moveTo('declaring', `declaring queue ${JSON.stringify(queue)} again`);
    this.parts.keeper.queueEnded(queue);
  }

  private heldTooLong(reason: Error): void {
    const now = monotonicMs();
    if (now - this.warnedAt < WARN_AGAIN_MS) return;
    this.warnedAt = now;
    this.options.log.warn('rabbitmq closed a channel: messages were held for too long, and come again', {
      code: 'CONSUMER_TIMEOUT',
      error: amqpText(reason),
      remedy: 'see what deliveries wait for (/readyz, Redis), or raise consumer_timeout in rabbitmq.conf',
    });
  }

  /** A fault of our own: the connection is made anew, and everything with it. */
  private async failed(session: Session, error: unknown): Promise<void> {
    this.options.log.error('rabbitmq: queues and bindings cannot be kept', {
      code: errorCode(error),
      error: amqpText(error),
    });
    await session.close();
  }

  /** Ends early where the source is stopped. */
  private async pause(): Promise<void> {
    await delay(this.reconnecting.next(), undefined, { signal: this.stop.signal }).catch(() => {});
  }
}
