import { flag, integer, list, oneOf, optional, text } from '../../config/formats';
import { secret, variable } from '../../config/variable';

/** The relay's own queue where nobody names another one. */
export const DEFAULT_QUEUE = 'evolution-relay';

export const RABBITMQ_VARIABLES = {
  RABBITMQ_ENABLED: variable(
    optional(flag),
    undefined,
    'Consume from RabbitMQ. Unset: yes if RABBITMQ_URI is set.',
  ),
  RABBITMQ_URI: secret(
    text,
    '',
    'Address of RabbitMQ (amqp:// or amqps://). User, password and virtual host are percent-encoded.',
  ),
  RABBITMQ_EXCHANGE_NAME: variable(
    text,
    'evolution_exchange',
    "Name of the core API's global topic exchange.",
  ),
  RABBITMQ_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'Consume the global exchange. Unset: yes in dedicated mode, no in shared mode.',
  ),
  RABBITMQ_PREFIX_KEY: variable(text, '', 'Prefix of the queues that the core API declares (shared mode).'),
  RABBITMQ_FRAME_MAX: variable(
    integer(4096, 16_777_216),
    8192,
    'Largest AMQP frame, in bytes. RabbitMQ 4.1 and later requires 8192 or more.',
  ),
  RABBITMQ_CONSUME: variable(
    oneOf('dedicated', 'shared'),
    'dedicated',
    "dedicated: one queue of the relay's own. shared: the queues that the core API declares itself.",
  ),
  RABBITMQ_EXCHANGES: variable(
    list,
    [],
    'Further topic exchanges, as a comma-separated list: everything that is published there is consumed.',
  ),
  RABBITMQ_QUEUES: variable(
    list,
    [],
    'Existing queues that are consumed as they are, whatever their arguments, as a comma-separated list.',
  ),
  AMQP_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'Of evolution-go: false means that it fills no global queues, so that none are consumed.',
  ),
  AMQP_GLOBAL_EVENTS: variable(
    list,
    [],
    'Of evolution-go: categories whose global queues are consumed, where RABBITMQ_QUEUES is not set.',
  ),
  AMQP_SPECIFIC_EVENTS: variable(
    list,
    [],
    'Of evolution-go: events whose global queues are consumed, where RABBITMQ_QUEUES is not set. They come before AMQP_GLOBAL_EVENTS.',
  ),
  RABBITMQ_QUEUE: variable(text, DEFAULT_QUEUE, 'Name of the dedicated queue.'),
  RABBITMQ_PREFETCH: variable(integer(1, 65_535), 2000, 'Messages of RabbitMQ that a worker holds at once.'),
};
