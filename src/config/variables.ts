import {
  type Format,
  flag,
  httpUrl,
  integer,
  list,
  number,
  oneOf,
  optional,
  stringMap,
  text,
  urlOf,
} from './formats';
import { PUSHER_VARIABLES } from './pusher-variables';
import { port, secret, type Variable, variable } from './variable';

/** Names of the core API keep its meaning (interface.md, Environment); the others are the relay's own. */
export const VARIABLES = {
  RABBITMQ_ENABLED: variable(
    optional(flag),
    undefined,
    'consume from RabbitMQ; on where RABBITMQ_URI is set',
  ),
  RABBITMQ_URI: secret(
    text,
    '',
    'amqp:// or amqps:// address; user, password and virtual host percent-encoded',
  ),
  RABBITMQ_EXCHANGE_NAME: variable(text, 'evolution_exchange', 'the global topic exchange of the core API'),
  RABBITMQ_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'consume the global exchange; unset: yes in dedicated mode, no in shared mode',
  ),
  RABBITMQ_PREFIX_KEY: variable(text, '', 'prefix of the queues that the core API declares (shared mode)'),
  RABBITMQ_FRAME_MAX: variable(
    integer(4096, 16_777_216),
    8192,
    'largest AMQP frame in bytes; RabbitMQ 4.1 and later needs 8192 or more',
  ),
  RABBITMQ_CONSUME: variable(
    oneOf('dedicated', 'shared'),
    'dedicated',
    'one queue of our own, or the queues that the core API declares itself',
  ),
  RABBITMQ_QUEUE: variable(text, 'evolution-relay', 'the dedicated queue'),
  RABBITMQ_PREFETCH: variable(integer(1, 65_535), 250, 'messages held at once'),

  SQS_ENABLED: variable(optional(flag), undefined, 'consume from SQS; on where SQS_QUEUE_URLS is set'),
  SQS_ACCESS_KEY_ID: secret(text, '', "empty: the AWS SDK's default chain (roles, profiles)"),
  SQS_SECRET_ACCESS_KEY: secret(text, '', 'belongs to SQS_ACCESS_KEY_ID'),
  SQS_ACCOUNT_ID: variable(text, '', 'queues of other accounts are left alone; empty: of whatever account'),
  SQS_REGION: variable(text, '', 'such as us-east-1; empty: of SQS_QUEUE_URLS, AWS_REGION or the profile'),
  SQS_ENDPOINT: variable(optional(httpUrl), undefined, 'address of a VPC endpoint or of an emulator'),
  SQS_QUEUE_URLS: variable(list, [], 'addresses of queues to consume, whatever their names'),
  SQS_QUEUE_TEMPLATES: variable(
    list,
    ['{instance}-{event}', '{instance}_{event}.fifo'],
    "names of the queues of instances whose settings say so; dots and hyphens of events also as the core API's _",
  ),
  SQS_GLOBAL_ENABLED: variable(flag, false, "consume the core API's global queues"),
  SQS_GLOBAL_FORCE_SINGLE_QUEUE: variable(flag, false, 'all events come in {prefix}_singlequeue.fifo'),
  SQS_GLOBAL_PREFIX_NAME: variable(text, 'global', 'prefix of the global queues: {prefix}_{event}.fifo'),
  SQS_DISCOVERY_SECONDS: variable(number(1, 86_400), 60, 'how often new queues are looked for'),
  SQS_PREFETCH: variable(integer(1, 10_000), 250, 'messages held at once'),
  SQS_WAIT_SECONDS: variable(
    integer(0, 20),
    10,
    'long polling: fewer calls the longer, and as much longer a shutdown',
  ),
  SQS_VISIBILITY_SECONDS: variable(
    integer(2, 43_200),
    30,
    'messages of a worker that was killed come again after this; extended while they are worked on',
  ),
  S3_ENDPOINT: variable(
    text,
    '',
    "host or address of the core API's S3, where events too large for SQS are fetched: may be private",
  ),
  S3_PORT: variable(
    optional(integer(1, 65_535)),
    undefined,
    'its port; 9000, as in the core API, where S3_ENDPOINT is a bare host',
  ),
  S3_USE_SSL: variable(
    optional(flag),
    undefined,
    'whether it is https; as S3_ENDPOINT and S3_PORT 443 say where empty',
  ),
  DEDUPLICATION_SECONDS: variable(
    number(0, 604_800),
    0,
    'above 0: an event seen within that time is delivered once, across all sources and workers',
  ),

  WEBHOOK_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'deliver to WEBHOOK_GLOBAL_URL; on where it is set',
  ),
  WEBHOOK_GLOBAL_URL: secret(optional(httpUrl), undefined, 'address of the global webhook'),
  WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS: variable(flag, false, 'append /messages-upsert and so on to the address'),
  WEBHOOK_GLOBAL_HEADERS: secret(stringMap, {}, 'JSON object of headers for the global webhook'),
  WEBHOOK_SIGNING_SECRET: secret(
    list,
    [],
    'signs the global webhook (Standard Webhooks); comma separated while rotating',
  ),
  WEBHOOK_ALLOWED_NETWORKS: variable(
    list,
    [],
    "networks (CIDR) that instances' own webhooks may reach although private, such as 172.18.0.0/16",
  ),
  WEBHOOK_STRIP_APIKEY: variable(flag, false, 'leave apikey out of what is sent'),
  WEBHOOK_LEGACY_PATHS: variable(flag, false, 'suffixes of the older documentation with by-events'),
  WEBHOOK_REQUEST_TIMEOUT_MS: variable(integer(1, 600_000), 30_000, 'whole request, milliseconds'),
  WEBHOOK_CONNECT_TIMEOUT_MS: variable(integer(1, 600_000), 10_000, 'connecting alone, milliseconds'),
  WEBHOOK_RETRY_MAX_ATTEMPTS: variable(integer(1, 100), 10, 'attempts in all, the direct one included'),
  WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: variable(number(0, 86_400), 5, 'delay before the second attempt'),
  WEBHOOK_RETRY_MAX_DELAY_SECONDS: variable(number(0, 86_400), 300, 'cap of the delay'),
  WEBHOOK_RETRY_USE_EXPONENTIAL_BACKOFF: variable(flag, true, 'double the delay at every attempt'),
  WEBHOOK_RETRY_JITTER_FACTOR: variable(number(0, 1), 0.2, 'delays vary by this share, up and down'),
  WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: variable(
    list,
    ['400', '401', '403', '404', '422'],
    'answers that will never change: dead-lettered at once',
  ),

  DELIVERY_CONCURRENCY: variable(integer(1, 100_000), 500, 'requests in flight, in all'),
  DELIVERY_CONCURRENCY_PER_DESTINATION: variable(integer(1, 100_000), 32, 'and for one destination'),
  DELIVERY_SLOW_AFTER_MS: variable(integer(1, 600_000), 1000, 'then the source message is released'),
  DELIVERY_MAX_BYTES_IN_FLIGHT: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'bytes of messages held at once',
  ),
  CIRCUIT_FAILURES: variable(
    integer(1, 1_000_000),
    10,
    "consecutive failures that open a destination's circuit",
  ),
  CIRCUIT_OPEN_SECONDS: variable(
    number(0, 86_400),
    30,
    'how long it stays open before one attempt is let through',
  ),
  RETRY_CONCURRENCY: variable(integer(1, 100_000), 100, 'retries in flight'),
  DEAD_LETTER_MAX_AGE_DAYS: variable(number(0, 3650), 14, 'dead letters older than this are discarded'),
  DEAD_LETTER_MAX_COUNT: variable(
    integer(1, Number.MAX_SAFE_INTEGER),
    1_000_000,
    'and beyond this many, the oldest of the instance that has most',
  ),
  DEAD_LETTER_MAX_COUNT_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    100_000,
    'and the oldest of one instance beyond this many; 0: no limit',
  ),
  DEAD_LETTER_MAX_BYTES_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'and beyond this much of Redis; 0: no limit',
  ),
  PARKED_MAX_AGE_DAYS: variable(
    number(0, 3650),
    3,
    'deliveries parked for longer become dead letters, whatever their circuit; 0: never',
  ),
  PARKED_MAX_BYTES_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    134_217_728,
    "Redis that parked deliveries of one instance's own destinations may take; further ones become dead letters; 0: no limit",
  ),
  PARKED_MAX_BYTES_PER_GLOBAL_DESTINATION: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    8_589_934_592,
    'and those of one global destination, of all instances together; 0: no limit',
  ),

  REDIS_URI: secret(urlOf('redis:', 'rediss:'), 'redis://localhost:6379', 'redis:// or rediss:// address'),
  REDIS_CLUSTER_NODES: variable(
    list,
    [],
    'host:port list of a Redis Cluster; user, password and TLS remain those of REDIS_URI',
  ),
  REDIS_SENTINELS: variable(
    list,
    [],
    'host:port list of Sentinels; user, password, database and TLS remain those of REDIS_URI',
  ),
  REDIS_SENTINEL_NAME: variable(text, '', 'name of the group of servers that the Sentinels watch'),
  REDIS_SENTINEL_PASSWORD: secret(text, '', 'password of the Sentinels themselves, where they have one'),
  REDIS_PREFIX_KEY: variable(text, 'evolution-relay', 'prefix of keys and queues'),
  REDIS_WAIT_REPLICAS: variable(
    integer(0, 100),
    0,
    'replicas that must have a parked delivery before it counts as stored',
  ),

  SETTINGS_FILE: variable(
    text,
    'config/instances.json',
    'settings of instances, read at start; those in Redis come first',
  ),
  SETTINGS_ENCRYPTION_KEY: secret(
    list,
    [],
    '32 bytes base64: settings in Redis are encrypted; comma separated while rotating, the newest first',
  ),
  SETTINGS_ACCEPT_CLEAR: variable(
    flag,
    false,
    'take settings in Redis that are not encrypted although SETTINGS_ENCRYPTION_KEY is set, until `settings encrypt` has run',
  ),

  AUTHENTICATION_API_KEY: secret(
    text,
    '',
    'the key that opens everything in the gateway; it does not start without one',
  ),
  GATEWAY_HOST: variable(text, '0.0.0.0', 'address of the gateway'),
  GATEWAY_PORT: variable(port, 8090, 'and its port'),
  GATEWAY_TRUSTED_PROXIES: variable(
    list,
    [],
    'addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed',
  ),
  GATEWAY_MAX_CONNECTIONS: variable(
    optional(integer(16, 1_000_000)),
    undefined,
    "connections to the gateway's port; unset: three eighths of the process's file descriptors, at most 20,000",
  ),
  GATEWAY_MAX_CONNECTIONS_PER_ADDRESS: variable(
    optional(integer(1, 1_000_000)),
    undefined,
    'and those of one address (IPv6: /64) that showed no key; unset: a quarter of them, at most 1,000',
  ),
  SERVER_DISABLE_DOCS: variable(flag, false, 'no /docs in the gateway'),
  CORS_ORIGIN: variable(list, ['*'], 'origins whose pages may call the gateway'),
  CORS_METHODS: variable(list, ['POST', 'GET', 'PUT', 'DELETE'], 'and with which methods'),
  CORS_CREDENTIALS: variable(
    flag,
    false,
    'and whether with credentials; has no effect while CORS_ORIGIN is *',
  ),

  WEBSOCKET_ENABLED: variable(flag, false, 'deliver to the WebSocket clients of the gateway'),
  WEBSOCKET_GLOBAL_EVENTS: variable(
    flag,
    false,
    'and the events of all instances to those that ask for them',
  ),
  WEBSOCKET_ALLOWED_HOSTS: variable(
    list,
    [],
    'addresses whose clients need no key, or *; pages of other origins do unless CORS_ORIGIN lists them; behind a proxy every client has the address of the proxy',
  ),
  WEBSOCKET_RESUME_SECONDS: variable(
    integer(1, 604_800),
    300,
    'how long an event is kept for clients that come back',
  ),
  WEBSOCKET_RESUME_EVENTS: variable(
    integer(1, 1_000_000),
    1000,
    'and how many, of one instance and of the global stream',
  ),
  WEBSOCKET_RESUME_BYTES: variable(integer(1, Number.MAX_SAFE_INTEGER), 16_777_216, 'and how many bytes'),
  WEBSOCKET_BUFFER_BYTES: variable(
    integer(65_536, Number.MAX_SAFE_INTEGER),
    4_194_304,
    'a client that leaves more than this unread is cut off; it can come back and resume',
  ),
  WEBSOCKET_UNREAD_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'most that is held for clients that have not read it, in all; beyond that those with most unread are cut off',
  ),
  WEBSOCKET_UNREAD_BYTES_PER_INSTANCE: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    67_108_864,
    'and for the clients of one instance',
  ),
  WEBSOCKET_PING_SECONDS: variable(number(1, 3600), 25, 'clients that do not answer are cut off'),
  WEBSOCKET_MAX_CLIENTS: variable(integer(1, 1_000_000), 10_000, 'clients of one gateway'),
  WEBSOCKET_MAX_CLIENTS_PER_INSTANCE: variable(
    integer(1, 1_000_000),
    1000,
    'clients of one instance at one gateway',
  ),

  ...PUSHER_VARIABLES,

  METRICS_HOST: variable(text, '0.0.0.0', "address of the worker's /metrics, /healthz and /readyz"),
  METRICS_PORT: variable(port, 9464, 'and their port'),
  SHUTDOWN_TIMEOUT_SECONDS: variable(number(1, 86_400), 30, 'deadline of the drain after SIGTERM'),
  LOG_LEVEL: variable(list, ['info'], "one level (error, warn, info, debug) or the core API's list"),
  LOG_COLOR: variable(flag, false, 'colours in the readable log format'),
  LOG_FORMAT: variable(oneOf('auto', 'json', 'text'), 'auto', 'auto: text on a terminal, otherwise json'),
} as const satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof VARIABLES;

/** The value of every variable, by name. */
export type Values = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends { readonly format: Format<infer T> }
    ? T
    : never;
};

/** Names that hosting platforms set, taken where ours is not set (interface.md). */
export const PLATFORM_NAMES: Readonly<Record<string, VariableName>> = {
  REDIS_URL: 'REDIS_URI',
  CLOUDAMQP_URL: 'RABBITMQ_URI',
  PORT: 'GATEWAY_PORT',
  http_proxy: 'HTTP_PROXY',
  https_proxy: 'HTTPS_PROXY',
  no_proxy: 'NO_PROXY',
};
