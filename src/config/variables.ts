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

/**
 * The core API's variables keep their meaning; the others are the relay's own. `npm run docs` writes
 * docs/configuration.md from this table, so each text must stand by itself.
 */
export const VARIABLES = {
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
  RABBITMQ_QUEUE: variable(text, 'evolution-relay', 'Name of the dedicated queue.'),
  RABBITMQ_PREFETCH: variable(integer(1, 65_535), 250, 'Messages of RabbitMQ that a worker holds at once.'),

  SQS_ENABLED: variable(optional(flag), undefined, 'Consume from SQS. Unset: yes if SQS_QUEUE_URLS is set.'),
  SQS_ACCESS_KEY_ID: secret(
    text,
    '',
    "AWS access key. Empty: the AWS SDK's default chain (roles, profiles).",
  ),
  SQS_SECRET_ACCESS_KEY: secret(text, '', 'Secret that belongs to SQS_ACCESS_KEY_ID.'),
  SQS_ACCOUNT_ID: variable(
    text,
    '',
    'Account whose queues are consumed; those of other accounts are left alone. Empty: any account.',
  ),
  SQS_REGION: variable(
    text,
    '',
    'AWS region, such as us-east-1. Empty: that of SQS_QUEUE_URLS, of AWS_REGION or of the profile.',
  ),
  SQS_ENDPOINT: variable(optional(httpUrl), undefined, 'Address of a VPC endpoint or of an emulator of SQS.'),
  SQS_QUEUE_URLS: variable(list, [], 'Addresses of SQS queues to consume, under any name.'),
  SQS_QUEUE_TEMPLATES: variable(
    list,
    ['{instance}-{event}', '{instance}_{event}.fifo'],
    "Names of the SQS queues of instances that have SQS set. In the event's name dots, hyphens and underscores mean the same.",
  ),
  SQS_GLOBAL_ENABLED: variable(flag, false, "Consume the core API's global SQS queues."),
  SQS_GLOBAL_FORCE_SINGLE_QUEUE: variable(
    flag,
    false,
    'All global events come in one SQS queue, {prefix}_singlequeue.fifo.',
  ),
  SQS_GLOBAL_PREFIX_NAME: variable(text, 'global', 'Prefix of the global SQS queues, {prefix}_{event}.fifo.'),
  SQS_DISCOVERY_SECONDS: variable(number(1, 86_400), 60, 'Seconds between two searches for new SQS queues.'),
  SQS_PREFETCH: variable(integer(1, 10_000), 250, 'Messages of SQS that a worker holds at once.'),
  SQS_WAIT_SECONDS: variable(
    integer(0, 20),
    10,
    'Long polling of SQS, in seconds. Longer polls mean fewer calls, and a shutdown that takes as much longer.',
  ),
  SQS_VISIBILITY_SECONDS: variable(
    integer(2, 43_200),
    30,
    'Seconds after which the SQS messages of a killed worker come again. Extended while they are worked on.',
  ),
  S3_ENDPOINT: variable(
    text,
    '',
    "Host or address of the core API's S3, from which events too large for SQS are fetched. It may be private.",
  ),
  S3_PORT: variable(
    optional(integer(1, 65_535)),
    undefined,
    "Port of S3_ENDPOINT. Unset: 9000 for a bare host, as in the core API, otherwise the address's own.",
  ),
  S3_USE_SSL: variable(
    optional(flag),
    undefined,
    'Whether S3_ENDPOINT speaks https. Unset: what its address says, and yes for S3_PORT 443.',
  ),
  DEDUPLICATION_SECONDS: variable(
    number(0, 604_800),
    0,
    'Above 0: an event that comes again within this time is delivered once, across all sources and workers.',
  ),

  WEBHOOK_GLOBAL_ENABLED: variable(
    optional(flag),
    undefined,
    'Deliver to WEBHOOK_GLOBAL_URL. Unset: yes if it is set.',
  ),
  WEBHOOK_GLOBAL_URL: secret(
    optional(httpUrl),
    undefined,
    'Address of the global webhook, which receives the events of all instances.',
  ),
  WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS: variable(
    flag,
    false,
    'Append /messages-upsert and so on to the address of the global webhook.',
  ),
  WEBHOOK_GLOBAL_HEADERS: secret(stringMap, {}, 'Headers of the global webhook, as a JSON object.'),
  WEBHOOK_SIGNING_SECRET: secret(
    list,
    [],
    'Secret that signs the global webhook (Standard Webhooks). Two, the new one first, while rotating.',
  ),
  WEBHOOK_ALLOWED_NETWORKS: variable(
    list,
    [],
    "Private networks (CIDR) that instances' own webhooks may reach, such as 172.18.0.0/16.",
  ),
  WEBHOOK_STRIP_APIKEY: variable(flag, false, 'Leave apikey out of the events that are sent.'),
  WEBHOOK_LEGACY_PATHS: variable(
    flag,
    false,
    "Use the suffixes of the core API's older documentation for webhooks by events.",
  ),
  WEBHOOK_REQUEST_TIMEOUT_MS: variable(
    integer(1, 600_000),
    30_000,
    "Time limit of a webhook's whole request, in milliseconds.",
  ),
  WEBHOOK_CONNECT_TIMEOUT_MS: variable(
    integer(1, 600_000),
    10_000,
    'Time limit for connecting to a webhook, in milliseconds.',
  ),
  WEBHOOK_RETRY_MAX_ATTEMPTS: variable(
    integer(1, 100),
    10,
    'Attempts of a delivery in all, the direct one included.',
  ),
  WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: variable(
    number(0, 86_400),
    5,
    'Seconds between the first and the second attempt.',
  ),
  WEBHOOK_RETRY_MAX_DELAY_SECONDS: variable(
    number(0, 86_400),
    300,
    'Longest delay between two attempts, in seconds.',
  ),
  WEBHOOK_RETRY_USE_EXPONENTIAL_BACKOFF: variable(flag, true, 'Double the delay after every attempt.'),
  WEBHOOK_RETRY_JITTER_FACTOR: variable(number(0, 1), 0.2, 'Share by which delays vary, up and down.'),
  WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: variable(
    list,
    ['400', '401', '403', '404', '422'],
    'Answers that will not change: such a delivery becomes a dead letter at once.',
  ),

  DELIVERY_CONCURRENCY: variable(
    integer(1, 100_000),
    500,
    'Requests of a worker in flight at once, to all destinations.',
  ),
  DELIVERY_CONCURRENCY_PER_DESTINATION: variable(
    integer(1, 100_000),
    32,
    'Requests of a worker in flight at once to one destination.',
  ),
  DELIVERY_SLOW_AFTER_MS: variable(
    integer(1, 600_000),
    1000,
    'Milliseconds after which a running delivery is stored in Redis and its source message released.',
  ),
  DELIVERY_MAX_BYTES_IN_FLIGHT: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes of messages that a worker holds at once.',
  ),
  CIRCUIT_FAILURES: variable(
    integer(1, 1_000_000),
    10,
    "Consecutive failures that open a destination's circuit.",
  ),
  CIRCUIT_OPEN_SECONDS: variable(
    number(0, 86_400),
    30,
    'Seconds that a circuit stays open before one attempt is let through.',
  ),
  RETRY_CONCURRENCY: variable(integer(1, 100_000), 100, 'Retries of a worker in flight at once.'),
  DEAD_LETTER_MAX_AGE_DAYS: variable(number(0, 3650), 14, 'Days after which dead letters are discarded.'),
  DEAD_LETTER_MAX_COUNT: variable(
    integer(1, Number.MAX_SAFE_INTEGER),
    1_000_000,
    'Dead letters kept in all. Beyond that the oldest of the instance that has most are discarded.',
  ),
  DEAD_LETTER_MAX_COUNT_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    100_000,
    'Dead letters kept for one instance. Beyond that its oldest are discarded. 0: no limit.',
  ),
  DEAD_LETTER_MAX_BYTES_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes of Redis for the dead letters of one instance. Beyond that its oldest are discarded. 0: no limit.',
  ),
  PARKED_MAX_AGE_DAYS: variable(
    number(0, 3650),
    3,
    'Days after which a parked delivery becomes a dead letter, even if its circuit was open all the time. 0: never.',
  ),
  PARKED_MAX_BYTES_PER_INSTANCE: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    134_217_728,
    "Bytes of Redis for deliveries parked for one instance's own destinations. Beyond that they become dead letters. 0: no limit.",
  ),
  PARKED_MAX_BYTES_PER_GLOBAL_DESTINATION: variable(
    integer(0, Number.MAX_SAFE_INTEGER),
    8_589_934_592,
    'Bytes of Redis for deliveries parked for one global destination. Beyond that they become dead letters. 0: no limit.',
  ),

  REDIS_URI: secret(
    urlOf('redis:', 'rediss:'),
    'redis://localhost:6379',
    'Address of Redis (redis:// or rediss://).',
  ),
  REDIS_CLUSTER_NODES: variable(
    list,
    [],
    'Nodes of a Redis Cluster, as host:port. User, password and TLS are those of REDIS_URI.',
  ),
  REDIS_SENTINELS: variable(
    list,
    [],
    'Redis Sentinels, as host:port. User, password, database and TLS are those of REDIS_URI.',
  ),
  REDIS_SENTINEL_NAME: variable(text, '', 'Name of the group of servers that the Sentinels watch.'),
  REDIS_SENTINEL_PASSWORD: secret(text, '', 'Password of the Sentinels themselves, if they have one.'),
  REDIS_PREFIX_KEY: variable(text, 'evolution-relay', 'Prefix of all keys and queues in Redis.'),
  REDIS_WAIT_REPLICAS: variable(
    integer(0, 100),
    0,
    'Replicas of Redis that must have a parked delivery before it counts as stored.',
  ),

  SETTINGS_FILE: variable(
    text,
    'config/instances.json',
    "File with settings of instances, read at start. A section that is set in Redis replaces the file's.",
  ),
  SETTINGS_ENCRYPTION_KEY: secret(
    list,
    [],
    'Key that encrypts settings in Redis, 32 bytes as base64. Two, the new one first, while rotating.',
  ),
  SETTINGS_ACCEPT_CLEAR: variable(
    flag,
    false,
    'Accept unencrypted settings in Redis although SETTINGS_ENCRYPTION_KEY is set, until `settings encrypt` has run.',
  ),

  AUTHENTICATION_API_KEY: secret(
    text,
    '',
    "The operator's key, which opens everything in the gateway. The gateway does not start without it.",
  ),
  GATEWAY_HOST: variable(text, '0.0.0.0', 'Address that the gateway listens on.'),
  GATEWAY_PORT: variable(port, 8090, 'Port of the gateway.'),
  GATEWAY_TRUSTED_PROXIES: variable(
    list,
    [],
    'Addresses or networks (CIDR) of proxies whose X-Forwarded-For is believed.',
  ),
  GATEWAY_MAX_CONNECTIONS: variable(
    optional(integer(16, 1_000_000)),
    undefined,
    "Connections to the gateway's port. Unset: three eighths of the process's file descriptors, at most 20,000.",
  ),
  GATEWAY_MAX_CONNECTIONS_PER_ADDRESS: variable(
    optional(integer(1, 1_000_000)),
    undefined,
    'Connections of one address (IPv6: one /64) to the gateway that showed no key. Unset: a quarter of all, at most 1,000.',
  ),
  SERVER_DISABLE_DOCS: variable(flag, false, 'Do not serve /docs in the gateway.'),
  CORS_ORIGIN: variable(list, ['*'], 'Origins whose pages may call the gateway.'),
  CORS_METHODS: variable(
    list,
    ['POST', 'GET', 'PUT', 'DELETE'],
    'Methods that pages of other origins may use at the gateway.',
  ),
  CORS_CREDENTIALS: variable(
    flag,
    false,
    'Let pages of other origins send cookies to the gateway. No effect while CORS_ORIGIN is *.',
  ),

  WEBSOCKET_ENABLED: variable(
    flag,
    false,
    'Deliver to the WebSocket clients of the gateway. Set it for workers and gateways.',
  ),
  WEBSOCKET_GLOBAL_EVENTS: variable(
    flag,
    false,
    "Offer the events of all instances to WebSocket clients with the operator's key.",
  ),
  WEBSOCKET_ALLOWED_HOSTS: variable(
    list,
    [],
    "Addresses whose WebSocket clients need no key, or *. Pages of other origins need one unless CORS_ORIGIN lists them. Behind a proxy every client has the proxy's address.",
  ),
  WEBSOCKET_RESUME_SECONDS: variable(
    integer(1, 604_800),
    300,
    'Seconds that events are kept for WebSocket clients that come back.',
  ),
  WEBSOCKET_RESUME_EVENTS: variable(
    integer(1, 1_000_000),
    1000,
    'Events kept for WebSocket clients that come back, for each instance and for the global stream.',
  ),
  WEBSOCKET_RESUME_BYTES: variable(
    integer(1, Number.MAX_SAFE_INTEGER),
    16_777_216,
    'Bytes of events kept for WebSocket clients that come back, for each instance and for the global stream.',
  ),
  WEBSOCKET_BUFFER_BYTES: variable(
    integer(65_536, Number.MAX_SAFE_INTEGER),
    4_194_304,
    'Bytes that a WebSocket client may leave unread before it is disconnected. It may come back and resume.',
  ),
  WEBSOCKET_UNREAD_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes held at one gateway for WebSocket clients that have not read them, in all. Beyond that those with most unread are disconnected.',
  ),
  WEBSOCKET_UNREAD_BYTES_PER_INSTANCE: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    67_108_864,
    'Bytes held at one gateway for the WebSocket clients of one instance that have not read them.',
  ),
  WEBSOCKET_PING_SECONDS: variable(
    number(1, 3600),
    25,
    'Seconds between pings. WebSocket clients that do not answer are disconnected.',
  ),
  WEBSOCKET_MAX_CLIENTS: variable(integer(1, 1_000_000), 10_000, 'WebSocket clients of one gateway.'),
  WEBSOCKET_MAX_CLIENTS_PER_INSTANCE: variable(
    integer(1, 1_000_000),
    1000,
    'WebSocket clients of one instance at one gateway.',
  ),

  ...PUSHER_VARIABLES,

  METRICS_HOST: variable(
    text,
    '0.0.0.0',
    "Address that the worker's /metrics, /healthz and /readyz listen on.",
  ),
  METRICS_PORT: variable(port, 9464, "Port of the worker's /metrics, /healthz and /readyz."),
  SHUTDOWN_TIMEOUT_SECONDS: variable(number(1, 86_400), 30, 'Seconds that draining may take after SIGTERM.'),
  LOG_LEVEL: variable(list, ['info'], "One level (error, warn, info, debug) or the core API's list."),
  LOG_COLOR: variable(flag, false, 'Use colours in the readable log format.'),
  LOG_FORMAT: variable(
    oneOf('auto', 'json', 'text'),
    'auto',
    'Format of the log. auto: text on a terminal, otherwise json.',
  ),
} as const satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof VARIABLES;

/** The value of every variable, by name. */
export type Values = {
  readonly [Name in VariableName]: (typeof VARIABLES)[Name] extends { readonly format: Format<infer T> }
    ? T
    : never;
};

/** Names that hosting platforms set. They are read if the variable itself is not set. */
export const PLATFORM_NAMES: Readonly<Record<string, VariableName>> = {
  REDIS_URL: 'REDIS_URI',
  CLOUDAMQP_URL: 'RABBITMQ_URI',
  PORT: 'GATEWAY_PORT',
  http_proxy: 'HTTP_PROXY',
  https_proxy: 'HTTPS_PROXY',
  no_proxy: 'NO_PROXY',
};
