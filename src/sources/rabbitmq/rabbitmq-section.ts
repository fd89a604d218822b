import { MAX_AMQP_NAME_BYTES, RESERVED_AMQP_PREFIX } from '../config/amqp-names';
import type { Config } from '../config/config';
import { CATALOGUE, findKey } from '../events/catalogue';
import { knownFilterOf } from './document';
import type { PusherSettings, Settings } from './schema';
import type { InstanceCheck } from './settings-editor';

/** What SQS allows in the name of a queue, which some instances' names do not keep to. */
const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}$/;

type ConsumeMode = Config['rabbitmq']['consume'];

/**
 * What settings that are right in themselves cannot be at an instance of this name, under this configuration.
 *
 * @param pusherProblem what is wrong with an instance's Pusher app, as far as the settings themselves show it
 */
export function instanceChecks(
  { rabbitmq }: Config,
  pusherProblem: (instance: string, pusher: PusherSettings) => string | undefined,
): (instance: string, settings: Settings) => InstanceCheck {
  return (instance, settings) => {
    const pusher = settings.pusher && pusherProblem(instance, settings.pusher);
    const exchange = exchangeProblem(instance, settings, rabbitmq.consume);
    const queues = queueWarning(instance, settings);
    return {
      problems: [
        ...(pusher === undefined ? [] : [`pusher: ${pusher}`]),
        ...(exchange === undefined ? [] : [`rabbitmq: ${exchange}`]),
      ],
      warnings: queues === undefined ? [] : [queues],
    };
  };
}

/** Why an instance's own exchange cannot be consumed; undefined where it can, and where it is not asked for. */
export function exchangeProblem(
  instance: string,
  { rabbitmq }: Settings,
  mode: ConsumeMode,
): string | undefined {
  if (rabbitmq?.enabled !== true) return undefined;
  if (instance.startsWith(RESERVED_AMQP_PREFIX)) {
    return `an exchange is named like its instance, and names that begin with ${RESERVED_AMQP_PREFIX} belong to the broker`;
  }
  const name = mode === 'shared' ? `${instance}.${longestOf(rabbitmq.events)}` : instance;
  const bytes = Buffer.byteLength(name);
  if (bytes <= MAX_AMQP_NAME_BYTES) return undefined;
  return `AMQP takes names of at most ${MAX_AMQP_NAME_BYTES} bytes, and ${JSON.stringify(name)} has ${bytes}: give the instance a shorter name`;
}

/** What keeps an instance's own SQS queues from being found; undefined where nothing does. */
function queueWarning(instance: string, { sqs }: Settings): string | undefined {
  if (sqs?.enabled !== true || QUEUE_NAME.test(instance)) return undefined;
  return 'sqs.enabled: names of queues have up to 80 letters, digits, - and _, which this instance’s name is not: no queue of it is found';
}

/** The longest of the events whose queues are consumed. */
function longestOf(events: readonly string[]): string {
  const filter = knownFilterOf(events);
  const names =
    filter === 'all'
      ? CATALOGUE.map(({ event }) => event)
      : [...filter].map((key) => findKey(key)?.event ?? '');
  return names.reduce((best, name) => (name.length > best.length ? name : best), '');
}
