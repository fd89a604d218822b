import { isDeepStrictEqual } from 'node:util';
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import { errorCode } from '../../errors';
import type { Logger } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import type { Source } from '../source';
import { connectOptions, displayAddress } from './broker-address';
import { closeChannel } from './close-channel';
import { Consumer } from './consumer';
import { declareTopology, releaseExchange } from './declare';
import { boundQueues, type ConsumedExchange, type TopologyOptions } from './topology';

export interface RabbitMqSourceOptions {
  readonly uri: string;
  readonly frameMax: number;
  readonly prefetch: number;
  readonly maxBytes: number;
  readonly exchanges: readonly ConsumedExchange[];
  readonly topology: TopologyOptions;
  readonly log: Logger;
}

/** Depth of a source queue, as the broker tells it. */
export interface QueueDepth {
  readonly queue: string;
  readonly messages: number;
  readonly consumers: number;
}

/** Name of an exchange that changed, and what it was when it was last declared. */
type Changed = readonly [name: string, before: ConsumedExchange | undefined];

const RECOVERY = { initialDelay: 200, maxDelay: 10_000, factor: 2, jitter: 0.2, waitForConnect: false };
const CONNECT_TIMEOUT_MS = 10_000;

/** Consumes from RabbitMQ; reconnects for ever, and declares everything again each time. */
export class RabbitMqSource implements Source {
  readonly name = 'rabbitmq';
  private connection: RecoveringChannelModel | undefined;
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  /** Settled when the present connection is gone, however it went. */
  private gone: Promise<unknown> = Promise.resolve();
  private consumer: Consumer | undefined;
  private queues: readonly string[] = [];
  private readonly exchanges: Map<string, ConsumedExchange>;
  /** Those that changed since they were declared, as they were then. */
  private readonly changed = new Map<string, ConsumedExchange | undefined>();
  /** Names of exchanges that belong to one instance; consumers look at it while it changes. */
  private readonly instances = new Set<string>();
  private model: ChannelModel | undefined;
  private changing: Promise<void> = Promise.resolve();
  private onMessage: ((message: SourceMessage) => void) | undefined;
  private stopping = false;
  private detail = 'not started';

  constructor(private readonly options: RabbitMqSourceOptions) {
    this.exchanges = new Map(options.exchanges.map((exchange) => [exchange.name, exchange]));
  }

  get state(): { readonly ready: boolean; readonly detail: string } {
    return { ready: this.consumer !== undefined && !this.stopping, detail: this.detail };
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.consumer?.held ?? 0, bytes: this.consumer?.heldBytes ?? 0 };
  }

  /** Called again, it does nothing, as `close` does. */
  start(onMessage: (message: SourceMessage) => void): Promise<void> {
    this.starting ??= this.connect(onMessage);
    return this.starting;
  }

  /** Consumes an exchange too, or with another filter than before; at the latest when the broker is back. */
  consumeExchange(exchange: ConsumedExchange): Promise<void> {
    const before = this.exchanges.get(exchange.name);
    if (isDeepStrictEqual(before, exchange)) return Promise.resolve();
    this.exchanges.set(exchange.name, exchange);
    return this.change(exchange.name, before);
  }

  /** Consumes an exchange no longer. */
  dropExchange(name: string): Promise<void> {
    const before = this.exchanges.get(name);
    if (before === undefined) return Promise.resolve();
    this.exchanges.delete(name);
    return this.change(name, before);
  }

  async stopIntake(): Promise<void> {
    this.stopping = true;
    await this.consumer?.stopIntake().catch(() => {});
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect();
    return this.closing;
  }

  /** Asks the broker by passive declaration; a queue that does not exist is left out. */
  async depths(): Promise<QueueDepth[]> {
    if (this.consumer === undefined || this.connection === undefined) return [];
    const depths: QueueDepth[] = [];
    try {
      const channel = await this.connection.createChannel();
      channel.on('error', () => {});
      for (const queue of this.queues) {
        const { messageCount, consumerCount } = await channel.checkQueue(queue);
        depths.push({ queue, messages: messageCount, consumers: consumerCount });
      }
      await closeChannel(channel);
    } catch {
      // The connection or the queue is gone; the source itself tells of it.
    }
    return depths;
  }

  private async connect(onMessage: (message: SourceMessage) => void): Promise<void> {
    this.onMessage = onMessage;
    const { uri, frameMax, log } = this.options;
    this.detail = `connecting to ${displayAddress(uri)}`;
    this.connection = await connect(connectOptions(uri, frameMax), {
      timeout: CONNECT_TIMEOUT_MS,
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: 'evolution-relay' },
      recovery: { ...RECOVERY, setup: (model: ChannelModel) => this.setUp(model) },
    });
    this.connection.on('connect', () => log.info('rabbitmq connected', { address: displayAddress(uri) }));
    this.connection.on('connect-failed', (error) => this.unavailable(error));
    this.connection.on('disconnect', (error) => this.unavailable(error));
    // Told by `disconnect`, too.
    this.connection.on('error', () => {});
  }

  private async disconnect(): Promise<void> {
    this.stopping = true;
    await this.starting?.catch(() => {});
    await this.consumer?.close().catch(() => {});
    this.consumer = undefined;
    // Its own promise is never settled where the connection breaks meanwhile.
    await Promise.race([this.connection?.close(), this.gone]);
    this.detail = 'closed';
  }

  /** Runs after every (re)connection, before it counts as made. */
  private async setUp(model: ChannelModel): Promise<void> {
    // A call that waits for its answer when the connection goes is never answered.
    const lost = new Promise<never>((_, reject) => {
      model.on('close', (error?: Error) => reject(error ?? new Error('connection closed')));
      // Told by `close`, too.
      model.on('error', () => {});
    });
    this.gone = lost.catch(() => {});
    await Promise.race([this.consume(model), lost]);
  }

  private async consume(model: ChannelModel): Promise<void> {
    const { prefetch, maxBytes } = this.options;
    const { onMessage, instances } = this;
    if (onMessage === undefined || this.stopping) return;
    await this.withChanged(async (changed) => {
      await this.release(model, changed);
      this.queues = await this.declare(model, [...this.exchanges.values()]);
    });
    this.consumer = await Consumer.start(model, this.queues, {
      prefetch,
      maxBytes,
      instances,
      onMessage,
      onLost: (reason) => this.lose(model, reason),
    });
    this.model = model;
    // What changed meanwhile.
    void this.declareChanges().catch(() => {});
    this.detail = `consuming ${this.queues.length} queue(s)`;
  }

  private declare(model: ChannelModel, exchanges: readonly ConsumedExchange[]): Promise<string[]> {
    const { topology, log } = this.options;
    for (const { instance } of exchanges) if (instance !== undefined) this.instances.add(instance);
    return declareTopology(model, exchanges, topology, (error) => {
      log.error('instance left out', { code: error.code, error: error.message });
    });
  }

  /** Unbinds those that are no longer wanted. */
  private async release(model: ChannelModel, changed: readonly Changed[]): Promise<void> {
    for (const [name, before] of changed) {
      if (before !== undefined && !this.exchanges.has(name))
        await releaseExchange(model, before, this.options.topology);
    }
  }

  private change(name: string, before: ConsumedExchange | undefined): Promise<void> {
    if (!this.changed.has(name)) this.changed.set(name, before);
    return this.declareChanges();
  }

  /** One after the other. Where the connection breaks meanwhile, everything is declared with the next one. */
  private declareChanges(): Promise<void> {
    const declared = this.changing.then(async () => {
      // Else what changed is declared when the broker is back.
      if (this.consumer !== undefined) await this.withChanged((changed) => this.declareChanged(changed));
    });
    this.changing = declared.catch(() => {});
    return declared;
  }

  /** What could not be declared stays to be done. */
  private async withChanged(work: (changed: readonly Changed[]) => Promise<void>): Promise<void> {
    const changed = [...this.changed];
    this.changed.clear();
    try {
      await work(changed);
    } catch (error) {
      for (const [name, before] of changed) this.changed.set(name, before);
      throw error;
    }
  }

  private async declareChanged(changed: readonly Changed[]): Promise<void> {
    const { model, consumer } = this;
    if (changed.length === 0 || this.stopping || model === undefined || consumer === undefined) return;
    await this.release(model, changed);
    const present = changed.flatMap(([name]) => this.exchanges.get(name) ?? []);
    const before = changed.flatMap(([, exchange]) => exchange ?? []);
    const gone = new Set(
      before.flatMap((exchange) => boundQueues(exchange, this.options.topology)).map(({ queue }) => queue),
    );
    const declared = await this.declare(model, present);
    this.queues = [...new Set([...this.queues.filter((queue) => !gone.has(queue)), ...declared])];
    if (consumer === this.consumer) consumer.consume(this.queues);
  }

  /** A lost channel on a living connection: recovery starts over with a new connection. */
  private lose(model: ChannelModel, reason: Error): void {
    this.consumer = undefined;
    if (this.stopping) return;
    this.unavailable(reason);
    model.close().catch(() => {});
  }

  private unavailable(error: Error): void {
    if (this.stopping) return;
    this.consumer = undefined;
    this.detail = `waiting for the broker: ${errorCode(error)}`;
    this.options.log.warn('rabbitmq unavailable', { code: errorCode(error), error: error.message });
  }
}
