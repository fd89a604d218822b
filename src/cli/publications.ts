import type { Options as AmqpOptions, ConfirmChannel } from 'amqplib';
import { errorText, MalformedEventError } from '../errors';
import { findEvent, findKey } from '../events/catalogue';
import { type Core, parseEnvelope } from '../events/envelope';
import { findGoName } from '../events/go-catalogue';
import { SAMPLE_INSTANCE_ID, type Sample, sampleEvent, sampleGoEvent } from '../events/sample';
import type { RabbitMqConfig } from '../sources/rabbitmq/rabbitmq-config';

/** What a core declares by. */
export type Declarations = Pick<ConfirmChannel, 'assertQueue' | 'assertExchange'>;

/** How one of the cores publishes. */
export interface Publication {
  /** For messages, such as `evolution_exchange`. */
  readonly place: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpOptions.Publish;
  /** What helps where no queue takes it. */
  readonly remedy: string;
  /** Declares what that core declares before it publishes. Says what an operator should know of it, where there is something. */
  declare(channel: Declarations): Promise<string | undefined>;
}

/** The event's name on the wire, for any name that somebody may give it. */
export function wireEvent(core: Core, name: string): string {
  if (core === 'go') return findGoName(name)?.event ?? name;
  return findEvent(name)?.event ?? findKey(name)?.event ?? name;
}

export function sampleOf(core: Core, sample: Sample): Buffer {
  return (core === 'go' ? sampleGoEvent : sampleEvent)(sample);
}

/** Why the relay will make a dead letter of it, whatever takes it; undefined where it is an event. */
export function whyNoEvent(body: Buffer, routingKey: string): string | undefined {
  try {
    parseEnvelope(body, { routingKey }, Date.now());
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedEventError)) throw error;
    return `it becomes a dead letter (${error.code}): ${errorText(error)}`;
  }
}

export function publicationOf(core: Core, event: string, config: RabbitMqConfig): Publication {
  return core === 'go' ? goPublication(event, config) : corePublication(event, config);
}

/** The core API sends no properties at all (docs/core-api.md#rabbitmq). */
function corePublication(event: string, { exchange }: RabbitMqConfig): Publication {
  return {
    place: exchange,
    exchange,
    routingKey: event,
    properties: {},
    remedy: `no queue is bound to ${exchange} for it. Start the relay, which binds its own, or check RABBITMQ_EXCHANGE_NAME and RABBITMQ_EVENTS_…`,
    declare: (channel) => declareTopic(channel, exchange),
  };
}

const GO_PROPERTIES: AmqpOptions.Publish = { contentType: 'application/json', deliveryMode: 2 };
const GO_QUEUE: AmqpOptions.AssertQueue = {
  durable: true,
  arguments: { 'x-queue-type': 'quorum', 'x-ha-policy': 'all' },
};

/**
 * evolution-go fills the queue of the event, or publishes to an exchange of the operator's choice: where the relay is
 * configured for such a one, and not for the queue (docs/evolution-go.md#queues).
 */
function goPublication(event: string, { furtherExchanges, listedQueues }: RabbitMqConfig): Publication {
  const queue = event.toLowerCase();
  const [exchange] = furtherExchanges;
  if (exchange !== undefined && !listedQueues.some(({ name }) => name === queue)) {
    return {
      place: exchange,
      exchange,
      routingKey: `${SAMPLE_INSTANCE_ID}.${queue}`,
      properties: GO_PROPERTIES,
      remedy: `no queue is bound to ${exchange}. Start the relay, which binds its own`,
      declare: (channel) => declareTopic(channel, exchange),
    };
  }
  return {
    place: `queue ${queue}`,
    exchange: '',
    routingKey: queue,
    properties: GO_PROPERTIES,
    remedy: `there is no queue ${queue}`,
    declare: (channel) => declareGoQueue(channel, queue),
  };
}

async function declareGoQueue(channel: Declarations, queue: string): Promise<string | undefined> {
  const { consumerCount } = await channel.assertQueue(queue, GO_QUEUE);
  if (consumerCount > 0) return undefined;
  return `nobody consumes the queue ${queue}: name it in RABBITMQ_QUEUES, or its category in AMQP_GLOBAL_EVENTS, and start a worker`;
}

async function declareTopic(channel: Declarations, exchange: string): Promise<undefined> {
  await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
}
