import { type ChannelModel, connect } from 'amqplib';
import { Command, InvalidArgumentError } from 'commander';
import { BrokerUnavailableError, ConfigError, explainError, RelayError } from '../errors';
import type { Core } from '../events/envelope';
import { keyNamed } from '../events/event-names';
import { didYouMeanEvent } from '../events/nearest-event';
import { MODULES } from '../modules';
import { amqpText, asUnavailable } from '../sources/rabbitmq/amqp-text';
import { connectOptions } from '../sources/rabbitmq/broker-address';
import { rabbitMqConfig } from '../sources/rabbitmq/rabbitmq-config';
import { choice } from './choice';
import { FINDING, UsageError } from './exit';
import { MAX_EVENT_FILE_BYTES, readInput } from './files';
import { parseInstance } from './instance-option';
import { complain, printLine } from './output';
import { type Publication, publicationOf, sampleOf, whyNoEvent, wireEvent } from './publications';

interface Options {
  readonly core: Core;
  readonly instance: string;
  readonly event?: string;
  readonly file?: string;
  readonly count: number;
}

export function publishCommand(): Command {
  return new Command('publish')
    .description('publish an event file, or sample events, as one of the cores would')
    .option('--instance <name>', 'instance that the events belong to', parseInstance, 'my-instance')
    .addOption(choice('--core <core>', 'api: Evolution API, go: evolution-go', ['api', 'go']).default('api'))
    .option('--event <event>', 'such as messages.upsert or MESSAGES_UPSERT, or Message of evolution-go')
    .option('--file <path>', 'publish the JSON event in this file instead of samples')
    .option('--count <n>', 'number of events', parseCount, 1)
    .action(publish);
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

async function publish(options: Options): Promise<void> {
  const { config, unheeded } = MODULES.loadConfig(process.cwd(), process.env);
  const rabbitMq = rabbitMqConfig.of(config);
  const { uri, frameMax } = rabbitMq;
  if (uri === '')
    throw new ConfigError([
      'RABBITMQ_URI: must be set, such as amqp://user:password@host:5672/%2F',
      ...unheeded,
    ]);
  const bodyOf = options.file === undefined ? samplesOf(options, config.serverUrl) : fileOf(options.file);
  const event = eventToPublish(options, bodyOf(0));
  if (keyNamed(event) === undefined) complain(`warning: ${event} is no event${didYouMeanEvent(event)}`);
  const flaw = whyNoEvent(bodyOf(0), event);
  if (flaw !== undefined) complain(`warning: ${flaw}`);
  const publication = publicationOf(options.core, event, rabbitMq);
  const { exchange, routingKey, properties, place } = publication;
  const connection = await open(uri, frameMax);
  // What is refused rejects the call as well.
  connection.on('error', () => {});
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    const warning = await publication.declare(channel);
    if (warning !== undefined) complain(`warning: ${warning}`);
    let returned = 0;
    channel.on('return', () => {
      returned++;
    });
    // `mandatory` is not a property: it makes the broker return messages that no queue takes.
    for (let index = 0; index < options.count; index++) {
      if (!channel.publish(exchange, routingKey, bodyOf(index), { ...properties, mandatory: true }))
        await channel.waitForConfirms();
    }
    await channel.waitForConfirms();
    if (returned > 0) return reportReturned(returned, publication);
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw new BrokerUnavailableError(`RabbitMQ does not take it: ${amqpText(cause)}`, { cause });
  } finally {
    await connection.close().catch(() => {});
  }
  printLine(`published ${options.count} × ${routingKey} to ${place}`);
}

async function open(uri: string, frameMax: number): Promise<ChannelModel> {
  try {
    return await connect(connectOptions(uri, frameMax));
  } catch (cause) {
    throw new BrokerUnavailableError(
      `RabbitMQ cannot be reached (${explainError(asUnavailable(cause, uri))}): check RABBITMQ_URI`,
      { cause },
    );
  }
}

function reportReturned(count: number, { routingKey, remedy }: Publication): void {
  complain(`${count} × ${routingKey} went nowhere: ${remedy}`);
  process.exitCode = FINDING;
}

const SAMPLE_EVENTS: Readonly<Record<Core, string>> = { api: 'messages.upsert', go: 'Message' };

function wanted({ core, event = SAMPLE_EVENTS[core] }: Options): string {
  return wireEvent(core, event);
}

function eventToPublish(options: Options, body: Buffer): string {
  if (options.file === undefined) return wanted(options);
  const event = eventIn(body, options.file);
  return typeof event === 'string' && event !== '' ? event : wanted(options);
}

function eventIn(body: Buffer, file: string): unknown {
  try {
    return (JSON.parse(body.toString('utf8')) as { event?: unknown } | null)?.event;
  } catch {
    throw new UsageError(`${file} must be the JSON of one event`);
  }
}

function samplesOf(options: Options, serverUrl: string): (index: number) => Buffer {
  const { core, instance } = options;
  return (index) => sampleOf(core, { instance, event: wanted(options), index, serverUrl });
}

function fileOf(file: string): () => Buffer {
  const body = readInput(file, MAX_EVENT_FILE_BYTES);
  return () => body;
}
