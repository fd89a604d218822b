import { type ChannelModel, connect } from 'amqplib';
import { Command, InvalidArgumentError } from 'commander';
import { BrokerUnavailableError, ConfigError, explainError } from '../errors';
import { findEvent, findKey } from '../events/catalogue';
import { sampleEvent } from '../events/sample';
import { MODULES } from '../modules';
import { connectOptions } from '../sources/rabbitmq/broker-address';
import { rabbitMqConfig } from '../sources/rabbitmq/rabbitmq-config';
import { FINDING, UsageError } from './exit';
import { readInput } from './files';
import { complain, printLine } from './output';

interface Options {
  readonly instance: string;
  readonly event: string;
  readonly file?: string;
  readonly count: number;
}

export function publishCommand(): Command {
  return new Command('publish')
    .description('publish an event file, or sample events, to the global exchange as the core API would')
    .option('--instance <name>', 'instance that the events belong to', 'my-instance')
    .option('--event <event>', 'messages.upsert or MESSAGES_UPSERT', 'messages.upsert')
    .option('--file <path>', 'publish the JSON event in this file instead of samples')
    .option('--count <n>', 'number of events', parseCount, 1)
    .action(publish);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

async function publish(options: Options): Promise<void> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const { uri, frameMax, exchange } = rabbitMqConfig.of(config);
  if (uri === '')
    throw new ConfigError(['RABBITMQ_URI: must be set, such as amqp://user:password@host:5672/%2F']);
  const bodyOf = options.file === undefined ? sampleOf(options) : fileOf(options.file);
  const routingKey = routingKeyOf(options, bodyOf(0));
  const connection = await open(uri, frameMax);
  try {
    const channel = await connection.createConfirmChannel();
    await channel.assertExchange(exchange, 'topic', { durable: true, autoDelete: false });
    let returned = 0;
    channel.on('return', () => {
      returned++;
    });
    // The core API sends no properties at all (docs/core-api.md#rabbitmq). `mandatory` is not a property: it makes the
    // broker return messages that no queue takes.
    for (let index = 0; index < options.count; index++) {
      if (!channel.publish(exchange, routingKey, bodyOf(index), { mandatory: true }))
        await channel.waitForConfirms();
    }
    await channel.waitForConfirms();
    if (returned > 0) return reportReturned(returned, routingKey, exchange);
  } finally {
    await connection.close();
  }
  printLine(`published ${options.count} × ${routingKey} to ${exchange}`);
}

async function open(uri: string, frameMax: number): Promise<ChannelModel> {
  try {
    return await connect(connectOptions(uri, frameMax));
  } catch (cause) {
    throw new BrokerUnavailableError(
      `RabbitMQ cannot be reached (${explainError(cause)}): check RABBITMQ_URI`,
      { cause },
    );
  }
}

function reportReturned(count: number, routingKey: string, exchange: string): void {
  complain(
    `${count} × ${routingKey} went nowhere: no queue is bound to ${exchange} for it. Start the relay, which binds its own, or check RABBITMQ_EXCHANGE_NAME and RABBITMQ_EVENTS_…`,
  );
  process.exitCode = FINDING;
}

function routingKeyOf(options: Options, body: Buffer): string {
  if (options.file === undefined) return eventOf(options.event);
  const event = eventIn(body, options.file);
  return typeof event === 'string' && event !== '' ? event : eventOf(options.event);
}

function eventIn(body: Buffer, file: string): unknown {
  try {
    return (JSON.parse(body.toString('utf8')) as { event?: unknown } | null)?.event;
  } catch {
    throw new UsageError(`${file} must be the JSON of one event`);
  }
}

function eventOf(text: string): string {
  return findEvent(text)?.event ?? findKey(text)?.event ?? text;
}

function sampleOf({ instance, event }: Options): (index: number) => Buffer {
  return (index) => sampleEvent(instance, eventOf(event), index);
}

function fileOf(file: string): () => Buffer {
  const body = readInput(file);
  return () => body;
}
