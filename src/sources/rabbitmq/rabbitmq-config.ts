import { canDecode, hasImpossiblePort, POSSIBLE_PORT } from '../../config/formats';
import { type ConfigPart, configPart } from '../../config/part';
import type { Reading } from '../../config/reading';
import { parseUrl } from '../../config/url';
import type { ValuesOf } from '../../config/variable';
import type { EventFilter } from '../../events/filter';
import { amqpNameProblem, LONGEST_EVENT_BYTES } from './amqp-names';
import { type ListedQueue, listedQueues } from './listed-queues';
import { RABBITMQ_VARIABLES } from './rabbitmq-variables';

export interface RabbitMqConfig {
  readonly enabled: boolean;
  readonly uri: string;
  readonly exchange: string;
  /** Further ones, of which everything is consumed. */
  readonly furtherExchanges: readonly string[];
  readonly listedQueues: readonly ListedQueue[];
  /** Consume the global exchange. */
  readonly global: boolean;
  readonly prefixKey: string;
  readonly frameMax: number;
  readonly consume: 'dedicated' | 'shared';
  readonly queue: string;
  readonly prefetch: number;
  readonly events: EventFilter;
}

type Values = ValuesOf<typeof RABBITMQ_VARIABLES>;

const SWITCHES = {
  prefix: 'RABBITMQ_EVENTS_',
  choose: 'events that are consumed from the global exchange',
};

export const rabbitMqConfig: ConfigPart<RabbitMqConfig> = configPart({
  name: 'rabbitmq',
  title: 'RabbitMQ',
  variables: RABBITMQ_VARIABLES,
  switches: SWITCHES,
  platformNames: { CLOUDAMQP_URL: 'RABBITMQ_URI', AMQP_URL: 'RABBITMQ_URI' },
  read: (values, reading) => {
    const enabled = values.RABBITMQ_ENABLED ?? values.RABBITMQ_URI !== '';
    checkAddress(enabled, values.RABBITMQ_URI, reading);
    checkAmqpNames(values, reading);
    const config: RabbitMqConfig = {
      enabled,
      uri: values.RABBITMQ_URI,
      exchange: values.RABBITMQ_EXCHANGE_NAME,
      furtherExchanges: [...new Set(values.RABBITMQ_EXCHANGES)],
      listedQueues: listedQueues(values, reading),
      global: values.RABBITMQ_GLOBAL_ENABLED ?? values.RABBITMQ_CONSUME === 'dedicated',
      prefixKey: values.RABBITMQ_PREFIX_KEY,
      frameMax: values.RABBITMQ_FRAME_MAX,
      consume: values.RABBITMQ_CONSUME,
      queue: values.RABBITMQ_QUEUE,
      prefetch: values.RABBITMQ_PREFETCH,
      events: reading.switches(SWITCHES),
    };
    if (enabled) warnOfNothing(config, values.RABBITMQ_GLOBAL_ENABLED, reading);
    return config;
  },
});

function warnOfNothing(config: RabbitMqConfig, given: boolean | undefined, reading: Reading): void {
  const { events, global, exchange, furtherExchanges, listedQueues: listed } = config;
  if (global && events !== 'all' && furtherExchanges.includes(exchange)) {
    reading.warn(
      `RABBITMQ_EXCHANGES: ${exchange} is the global exchange, too: RABBITMQ_EVENTS_… does not narrow it any more`,
    );
  }
  if (events !== 'all' && events.size === 0) {
    reading.warn('every RABBITMQ_EVENTS_… says false: nothing is consumed from the global exchange');
  }
  if (global || furtherExchanges.length > 0 || listed.length > 0) return;
  const text =
    'RABBITMQ_GLOBAL_ENABLED is not true: only the exchanges of instances are consumed whose settings say so';
  if (given === undefined) reading.warn(text);
  else reading.note(text);
}

function checkAddress(enabled: boolean, uri: string, reading: Reading): void {
  if (enabled && uri === '') {
    reading.problem(
      'RABBITMQ_URI: must be set while RABBITMQ_ENABLED is true, such as amqp://user:password@host:5672/%2F',
    );
  }
  if (hasImpossiblePort(uri)) {
    reading.problem(`RABBITMQ_URI: must be an address with ${POSSIBLE_PORT}`);
  } else if (uri !== '' && !isAmqpAddress(uri)) {
    reading.problem('RABBITMQ_URI: must be an address that starts with amqp:// or amqps://, percent-encoded');
  }
}

function checkAmqpNames(values: Values, reading: Reading): void {
  // Its queues are called `<prefix>.<event>`.
  const { RABBITMQ_PREFIX_KEY: prefix } = values;
  const checked = [
    ['RABBITMQ_QUEUE', amqpNameProblem(values.RABBITMQ_QUEUE)],
    ['RABBITMQ_PREFIX_KEY', prefix === '' ? undefined : amqpNameProblem(prefix, LONGEST_EVENT_BYTES + 1)],
    // Exchanges of the broker's own, such as amq.topic, can be consumed.
    ['RABBITMQ_EXCHANGE_NAME', amqpNameProblem(values.RABBITMQ_EXCHANGE_NAME.replace(/^amq\./, 'own.'))],
  ] as const;
  for (const exchange of values.RABBITMQ_EXCHANGES) {
    const problem = amqpNameProblem(exchange.replace(/^amq\./, 'own.'));
    if (problem !== undefined) reading.problem(`RABBITMQ_EXCHANGES: ${JSON.stringify(exchange)} ${problem}`);
  }
  for (const queue of values.RABBITMQ_QUEUES) {
    const problem = amqpNameProblem(queue.replace(/^amq\./, 'own.'));
    if (problem !== undefined) reading.problem(`RABBITMQ_QUEUES: ${JSON.stringify(queue)} ${problem}`);
  }
  for (const [name, problem] of checked) if (problem !== undefined) reading.problem(`${name}: ${problem}`);
}

function isAmqpAddress(uri: string): boolean {
  const url = /^amqps?:\/\/./.test(uri) ? parseUrl(uri) : undefined;
  if (url === undefined) return false;
  const { username, password, pathname } = url;
  return canDecode(username + password + pathname);
}
