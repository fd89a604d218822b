import { ALERT_VARIABLES } from './alert-config';
import { DELIVERY_LOG_VARIABLES } from './delivery-log-config';
import { flag, httpUrl, integer, list, number, oneOf, optional, text, urlOf } from './formats';
import { GATEWAY_VARIABLES } from './gateway-variables';
import { REFERENCE_VARIABLES } from './reference-config';
import { TRACING_VARIABLES } from './tracing-config';
import { port, secret, type ValuesOf, type Variables, variable } from './variable';

/**
 * Variables that belong to no single destination or source; those lie with their modules. The core API's variables keep
 * their meaning; the others are the relay's own. `npm run docs` writes docs/configuration.md from all of them, so each
 * text must stand by itself.
 */
export const CORE_VARIABLES = {
  DEDUPLICATION_SECONDS: variable(
    number(0, 604_800),
    0,
    'Above 0: an event that comes again within this time is delivered once, across all sources and workers.',
  ),

  WEBHOOK_ALLOWED_NETWORKS: variable(
    list,
    [],
    "Private networks (CIDR) that instances' own webhooks may reach, such as 172.18.0.0/16.",
  ),
  WEBHOOK_STRIP_APIKEY: variable(flag, false, 'Leave apikey out of the events that are sent.'),
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

  DELIVERY_CONCURRENCY: variable(
    integer(1, 100_000),
    2000,
    'Requests of a worker in flight at once, to all destinations.',
  ),
  DELIVERY_CONCURRENCY_PER_DESTINATION: variable(
    integer(1, 100_000),
    2000,
    'Requests of a worker in flight at once to one destination at the most. The relay finds out how many of them are good for it.',
  ),
  DELIVERY_MAX_SHARE: variable(
    number(0.01, 1),
    0.25,
    'Part of the requests that one instance, one receiving host or one global destination may have while others are active, and of the bytes in flight where more than half of them are in use.',
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
  SUSPEND_AFTER_HOURS: variable(
    number(0, 87_600),
    120,
    'Hours after which a destination that failed without one success is suspended: its deliveries wait until a person resumes it, its address changes, or the daily attempt succeeds. 0: never.',
  ),
  ORDERED_MAX_AGE_SECONDS: variable(
    integer(1, 31_536_000),
    3600,
    'Seconds for which the first delivery of a lane may hold up those behind it. Then it becomes a dead letter.',
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

  ...DELIVERY_LOG_VARIABLES,

  ...ALERT_VARIABLES,

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

  ...GATEWAY_VARIABLES,
  ...REFERENCE_VARIABLES,

  HTTP_PROXY: secret(optional(httpUrl), undefined, 'Proxy for webhooks and Pusher at http:// addresses.'),
  HTTPS_PROXY: secret(optional(httpUrl), undefined, 'Proxy for webhooks and Pusher at https:// addresses.'),
  NO_PROXY: variable(
    text,
    '',
    'Hosts that are reached without a proxy, as a comma-separated list. *: all hosts.',
  ),

  METRICS_HOST: variable(
    text,
    '0.0.0.0',
    "Address that the worker's /metrics, /healthz and /readyz listen on.",
  ),
  METRICS_PORT: variable(port, 9464, "Port of the worker's /metrics, /healthz and /readyz."),
  SHUTDOWN_TIMEOUT_SECONDS: variable(number(1, 86_400), 30, 'Seconds that draining may take after SIGTERM.'),
  ...TRACING_VARIABLES,
  LOG_LEVEL: variable(
    list,
    ['info'],
    "One level (error, warn, info, debug) or the core API's list, which never switches debug on.",
  ),
  LOG_COLOR: variable(flag, false, 'Use colours in the readable log format.'),
  LOG_FORMAT: variable(
    oneOf('auto', 'json', 'text'),
    'auto',
    'Format of the log. auto: text on a terminal, otherwise json.',
  ),
} as const satisfies Variables;

export type Values = ValuesOf<typeof CORE_VARIABLES>;

/** evolution-go does not start without it, and no other program has it: it tells whose `.env` this is. */
export const MARK_OF_EVOLUTION_GO = 'GLOBAL_API_KEY';

/** Names that hosting platforms and evolution-go set. They are read if the variable itself is not set. */
export const PLATFORM_NAMES: Readonly<Record<string, keyof Values>> = {
  REDIS_URL: 'REDIS_URI',
  PORT: 'GATEWAY_PORT',
  http_proxy: 'HTTP_PROXY',
  https_proxy: 'HTTPS_PROXY',
  no_proxy: 'NO_PROXY',
  [MARK_OF_EVOLUTION_GO]: 'AUTHENTICATION_API_KEY',
};
