import type { Channel, ChannelModel } from 'amqplib';
import { RelayError } from '../../errors';
import { closeChannel } from './close-channel';
import { type BoundQueue, boundQueues, type ConsumedExchange, type TopologyOptions } from './topology';

/** The broker refuses an exchange or a queue: the message says which, why, and what helps. */
export class TopologyError extends RelayError {}

const PRECONDITION_FAILED = 406;
/** RabbitMQ 4.0 drops what was redelivered 20 times unless the queue says otherwise. */
const UNLIMITED_REDELIVERIES = { 'x-delivery-limit': -1 };

/**
 * Declares exchanges, queues and bindings with the core API's own arguments (contract B.3), so that either side
 * may come first. Returns the queues to consume. An instance whose exchange is refused is left out and told to
 * `onRefused`: it must not keep the others from being consumed.
 *
 * @throws TopologyError when the global exchange or the dedicated queue is refused
 */
export async function declareTopology(
  model: ChannelModel,
  exchanges: readonly ConsumedExchange[],
  options: TopologyOptions,
  onRefused: (error: TopologyError) => void,
): Promise<string[]> {
  const queues = new Set<string>();
  if (options.mode === 'dedicated') {
    await declareDedicatedQueue(model, options.queue);
    queues.add(options.queue);
  }
  for (const exchange of exchanges) {
    try {
      for (const queue of await declareExchange(model, exchange, options)) queues.add(queue);
    } catch (error) {
      if (exchange.instance === undefined || !(error instanceof TopologyError)) throw error;
      onRefused(error);
    }
  }
  return [...queues];
}

/**
 * Takes back what `declareTopology` bound for an exchange. Queues and exchange stay: they are the core API's. One
 * that is not there any more has no bindings either.
 */
export async function releaseExchange(
  model: ChannelModel,
  exchange: ConsumedExchange,
  options: TopologyOptions,
): Promise<void> {
  if (options.mode === 'shared') return;
  try {
    await onChannel(model, `exchange "${exchange.name}"`, async (channel) => {
      await channel.checkExchange(exchange.name);
      for (const { queue, bind: bound, unbind } of boundQueues(exchange, options)) {
        await Promise.all([...bound, ...unbind].map((key) => channel.unbindQueue(queue, exchange.name, key)));
      }
    });
  } catch (error) {
    if (!(error instanceof TopologyError)) throw error;
  }
}

/** A refusal closes the channel, so each attempt has one of its own. */
async function onChannel<T>(
  model: ChannelModel,
  what: string,
  work: (channel: Channel) => Promise<T>,
): Promise<T> {
  const channel = await model.createChannel();
  // The refusal also comes as an event; the rejected call is what is handled.
  channel.on('error', () => {});
  try {
    const result = await work(channel);
    await closeChannel(channel);
    return result;
  } catch (error) {
    throw refusal(error, what);
  }
}

async function declareDedicatedQueue(model: ChannelModel, queue: string): Promise<void> {
  const declare = (extra: object): Promise<unknown> =>
    onChannel(model, `queue "${queue}"`, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', ...extra } }),
    );
  if (!supportsUnlimitedRedeliveries(model)) {
    await declare({});
    return;
  }
  try {
    await declare(UNLIMITED_REDELIVERIES);
  } catch (error) {
    // A queue made under RabbitMQ 3 lacks the argument.
    if (!(error instanceof TopologyError)) throw error;
    await declare({});
  }
}

function supportsUnlimitedRedeliveries(model: ChannelModel): boolean {
  const { version } = model.connection.serverProperties;
  return Number.parseInt(String(version), 10) >= 4;
}

async function declareExchange(
  model: ChannelModel,
  exchange: ConsumedExchange,
  options: TopologyOptions,
): Promise<string[]> {
  await onChannel(model, `exchange "${exchange.name}"`, (channel) =>
    channel.assertExchange(exchange.name, 'topic', { durable: true, autoDelete: false }),
  );
  const bound = boundQueues(exchange, options);
  for (const each of bound) await bind(model, exchange, each, options.mode);
  return bound.map(({ queue }) => queue);
}

function bind(
  model: ChannelModel,
  exchange: ConsumedExchange,
  { queue, bind: wanted, unbind }: BoundQueue,
  mode: TopologyOptions['mode'],
): Promise<void> {
  return onChannel(model, `queue "${queue}"`, async (channel) => {
    if (mode === 'shared') {
      await channel.assertQueue(queue, {
        durable: true,
        autoDelete: false,
        arguments: { 'x-queue-type': 'quorum' },
      });
    }
    await Promise.all(wanted.map((pattern) => channel.bindQueue(queue, exchange.name, pattern)));
    await Promise.all(unbind.map((pattern) => channel.unbindQueue(queue, exchange.name, pattern)));
  });
}

function refusal(error: unknown, what: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'number') return error;
  const text = error instanceof Error ? error.message : String(error);
  const remedy =
    code === PRECONDITION_FAILED
      ? 'it exists with other arguments: delete it, or name another one (RABBITMQ_QUEUE, RABBITMQ_EXCHANGE_NAME)'
      : 'check the name and the permissions of the user in RABBITMQ_URI';
  return new TopologyError(`AMQP_${code}`, `the broker refuses ${what}: ${remedy}. It said: ${text}`, {
    cause: error,
  });
}
