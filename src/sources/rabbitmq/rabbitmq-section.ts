import { CATALOGUE, findKey } from '../../events/catalogue';
import { knownFilterOf } from '../../settings/document';
import { Section } from '../../settings/section';
import { type SwitchSettings, switchFields } from '../../settings/section-fields';
import { MAX_AMQP_NAME_BYTES, RESERVED_AMQP_PREFIX } from './amqp-names';
import { type RabbitMqConfig, rabbitMqConfig } from './rabbitmq-config';

/** An instance's own RabbitMQ exchange. */
export const rabbitMqSection: Section<SwitchSettings> = new Section({
  name: 'rabbitmq',
  fields: switchFields,
  checker: (config) => ({
    check: (instance, value, path) => {
      const problem = exchangeProblem(instance, value, rabbitMqConfig.of(config));
      return problem === undefined ? {} : { problems: [`${path}: ${problem}`] };
    },
  }),
  inspection: {
    check: 'exchange',
    problemOf: (config, instance, value) => exchangeProblem(instance, value, rabbitMqConfig.of(config)),
  },
  index: 'exchanges',
});

/** Why an instance's own exchange cannot be consumed; undefined where it can, and where it is not asked for. */
export function exchangeProblem(
  instance: string,
  { enabled, events }: SwitchSettings,
  { consume, exchange, furtherExchanges }: Pick<RabbitMqConfig, 'consume' | 'exchange' | 'furtherExchanges'>,
): string | undefined {
  if (!enabled) return undefined;
  if (instance === exchange || furtherExchanges.includes(instance)) {
    return `an exchange is named like its instance, and ${JSON.stringify(instance)} is the name of an exchange of all instances (RABBITMQ_EXCHANGE_NAME, RABBITMQ_EXCHANGES): give the instance another name`;
  }
  if (instance.startsWith(RESERVED_AMQP_PREFIX)) {
    return `an exchange is named like its instance, and names that begin with ${RESERVED_AMQP_PREFIX} belong to the broker`;
  }
  const name = consume === 'shared' ? `${instance}.${longestOf(events)}` : instance;
  const bytes = Buffer.byteLength(name);
  if (bytes <= MAX_AMQP_NAME_BYTES) return undefined;
  return `AMQP takes names of at most ${MAX_AMQP_NAME_BYTES} bytes, and ${JSON.stringify(name)} has ${bytes}: give the instance a shorter name`;
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
