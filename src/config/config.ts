import type { EventFilter } from '../events/filter';
import { amqpNameProblem, LONGEST_EVENT_BYTES } from './amqp-names';
import { readEventSwitches } from './event-switches';
import { canDecode, isHeader, isSigningKey } from './formats';
import { deepFreeze } from './freeze';
import { type GatewayConfig, gatewayOf, type WebSocketConfig, webSocketOf } from './gateway-config';
import { type ProxyConfig, type PusherConfig, proxyOf, pusherOf } from './pusher';
import { type RedisConfig, redisOf } from './redis';
import { type SqsConfig, sqsOf } from './sqs';
import { parseUrl } from './url';
import type { Values } from './variables';

/** The whole configuration: typed, checked, frozen. Durations are milliseconds, sizes bytes. */
export interface Config {
  readonly rabbitmq: RabbitMqConfig;
  readonly sqs: SqsConfig;
  /** 0: events are not compared. */
  readonly deduplicationMs: number;
  readonly globalWebhook: GlobalWebhookConfig | undefined;
  readonly webhook: WebhookConfig;
  readonly pusher: PusherConfig;
  readonly proxy: ProxyConfig;
  readonly delivery: DeliveryConfig;
  readonly retry: RetryConfig;
  readonly redis: RedisConfig;
  readonly settings: SettingsConfig;
  readonly gateway: GatewayConfig;
  readonly webSocket: WebSocketConfig;
  readonly metrics: { readonly host: string; readonly port: number };
  readonly log: {
    readonly levels: readonly string[];
    readonly color: boolean;
    readonly format: 'auto' | 'json' | 'text';
  };
  readonly shutdownTimeoutMs: number;
}

export interface RabbitMqConfig {
  readonly enabled: boolean;
  readonly uri: string;
  readonly exchange: string;
  /** Consume the global exchange. */
  readonly global: boolean;
  readonly prefixKey: string;
  readonly frameMax: number;
  readonly consume: 'dedicated' | 'shared';
  readonly queue: string;
  readonly prefetch: number;
  readonly events: EventFilter;
}

export interface GlobalWebhookConfig {
  readonly url: string;
  readonly byEvents: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly signingSecrets: readonly string[];
  readonly events: EventFilter;
}

export interface WebhookConfig {
  readonly stripApikey: boolean;
  readonly legacyPaths: boolean;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Answers that will never change. */
  readonly rejectedStatuses: ReadonlySet<number>;
  /** Private networks that instances' own webhooks may reach. */
  readonly allowedNetworks: readonly string[];
}

export interface DeliveryConfig {
  readonly concurrency: number;
  readonly concurrencyPerDestination: number;
  /** Part of all places that an instance, or a receiving host, holds while others are active. */
  readonly maxShare: number;
  readonly slowAfterMs: number;
  readonly maxBytesInFlight: number;
  readonly circuitFailures: number;
  readonly circuitOpenMs: number;
}

export interface RetryConfig {
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly exponential: boolean;
  readonly jitter: number;
  readonly deadLetterMaxAgeMs: number;
  readonly deadLetterMaxCount: number;
  /** Of the dead letters of one instance; 0 is no limit. */
  readonly deadLetterShare: { readonly maxCount: number; readonly maxBytes: number };
  /** 0: parked deliveries wait for as long as it takes. */
  readonly parkedMaxAgeMs: number;
  /** Bytes of Redis; 0 is no limit. */
  readonly parkedMaxBytes: { readonly perInstance: number; readonly perGlobalDestination: number };
}

export interface SettingsConfig {
  readonly file: string;
  /** The newest first; none: settings are not encrypted. */
  readonly encryptionKeys: readonly string[];
  /** Settings in clear are taken although there is a key. */
  readonly acceptClear: boolean;
}

const DAY_MS = 86_400_000;

/** Values → Config. What no single variable can show wrong is checked here; problems and warnings are pushed. */
export function buildConfig(
  values: Values,
  raw: Readonly<Record<string, unknown>>,
  problems: string[],
  warnings: string[],
): Config {
  const config: Config = {
    rabbitmq: rabbitmqOf(values, raw, problems, warnings),
    sqs: sqsOf(values, raw, problems, warnings),
    deduplicationMs: values.DEDUPLICATION_SECONDS * 1000,
    globalWebhook: globalWebhookOf(values, raw, problems, warnings),
    webhook: webhookOf(values, problems),
    pusher: pusherOf(values, raw, problems, warnings),
    proxy: proxyOf(values),
    delivery: {
      concurrency: values.DELIVERY_CONCURRENCY,
      concurrencyPerDestination: values.DELIVERY_CONCURRENCY_PER_DESTINATION,
      maxShare: values.DELIVERY_MAX_SHARE,
      slowAfterMs: values.DELIVERY_SLOW_AFTER_MS,
      maxBytesInFlight: values.DELIVERY_MAX_BYTES_IN_FLIGHT,
      circuitFailures: values.CIRCUIT_FAILURES,
      circuitOpenMs: values.CIRCUIT_OPEN_SECONDS * 1000,
    },
    retry: retryOf(values),
    redis: redisOf(values, problems),
    settings: settingsOf(values, problems, warnings),
    gateway: gatewayOf(values, problems, warnings),
    webSocket: webSocketOf(values, raw, problems, warnings),
    metrics: { host: values.METRICS_HOST, port: values.METRICS_PORT },
    log: { levels: logLevelsOf(values, problems), color: values.LOG_COLOR, format: values.LOG_FORMAT },
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SECONDS * 1000,
  };
  if (config.rabbitmq.enabled && config.rabbitmq.events !== 'all' && config.rabbitmq.events.size === 0) {
    warnings.push('every RABBITMQ_EVENTS_… says false: nothing is consumed from the global exchange');
  }
  if (config.rabbitmq.enabled && !config.rabbitmq.global) {
    warnings.push(
      'RABBITMQ_GLOBAL_ENABLED is not true: only the exchanges of instances are consumed whose settings say so',
    );
  }
  if (config.globalWebhook?.events !== 'all' && config.globalWebhook?.events.size === 0) {
    warnings.push('every WEBHOOK_EVENTS_… says false: the global webhook receives nothing');
  }
  return deepFreeze(config);
}

function rabbitmqOf(
  values: Values,
  raw: Readonly<Record<string, unknown>>,
  problems: string[],
  warnings: string[],
): RabbitMqConfig {
  const enabled = values.RABBITMQ_ENABLED ?? values.RABBITMQ_URI !== '';
  if (enabled && values.RABBITMQ_URI === '') {
    problems.push(
      'RABBITMQ_URI: must be set while RABBITMQ_ENABLED is true, such as amqp://user:password@host:5672/%2F',
    );
  }
  if (values.RABBITMQ_URI !== '' && !isAmqpAddress(values.RABBITMQ_URI)) {
    problems.push('RABBITMQ_URI: must be an address that starts with amqp:// or amqps://, percent-encoded');
  }
  checkAmqpNames(values, problems);
  return {
    enabled,
    uri: values.RABBITMQ_URI,
    exchange: values.RABBITMQ_EXCHANGE_NAME,
    global: values.RABBITMQ_GLOBAL_ENABLED ?? values.RABBITMQ_CONSUME === 'dedicated',
    prefixKey: values.RABBITMQ_PREFIX_KEY,
    frameMax: values.RABBITMQ_FRAME_MAX,
    consume: values.RABBITMQ_CONSUME,
    queue: values.RABBITMQ_QUEUE,
    prefetch: values.RABBITMQ_PREFETCH,
    events: readEventSwitches('RABBITMQ_EVENTS_', raw, problems, warnings),
  };
}

function checkAmqpNames(values: Values, problems: string[]): void {
  // Its queues are called `<prefix>.<event>`.
  const { RABBITMQ_PREFIX_KEY: prefix } = values;
  const checked = [
    ['RABBITMQ_QUEUE', amqpNameProblem(values.RABBITMQ_QUEUE)],
    ['RABBITMQ_PREFIX_KEY', prefix === '' ? undefined : amqpNameProblem(prefix, LONGEST_EVENT_BYTES + 1)],
    // Exchanges of the broker's own, such as amq.topic, can be consumed.
    ['RABBITMQ_EXCHANGE_NAME', amqpNameProblem(values.RABBITMQ_EXCHANGE_NAME.replace(/^amq\./, 'own.'))],
  ] as const;
  for (const [name, problem] of checked) if (problem !== undefined) problems.push(`${name}: ${problem}`);
}

function isAmqpAddress(uri: string): boolean {
  const url = /^amqps?:\/\/./.test(uri) ? parseUrl(uri) : undefined;
  if (url === undefined) return false;
  const { username, password, pathname } = url;
  return canDecode(username + password + pathname);
}

function globalWebhookOf(
  values: Values,
  raw: Readonly<Record<string, unknown>>,
  problems: string[],
  warnings: string[],
): GlobalWebhookConfig | undefined {
  const url = values.WEBHOOK_GLOBAL_URL;
  const enabled = values.WEBHOOK_GLOBAL_ENABLED ?? url !== undefined;
  if (enabled && url === undefined) {
    problems.push('WEBHOOK_GLOBAL_URL: must be set while WEBHOOK_GLOBAL_ENABLED is true');
  }
  const events = readEventSwitches('WEBHOOK_EVENTS_', raw, problems, warnings);
  for (const secret of values.WEBHOOK_SIGNING_SECRET) {
    if (!isSigningKey(secret)) {
      problems.push(
        'WEBHOOK_SIGNING_SECRET: must be base64 of at least 16 bytes, with or without whsec_ before it',
      );
    }
  }
  for (const [name, value] of Object.entries(values.WEBHOOK_GLOBAL_HEADERS)) {
    if (!isHeader(name, value)) {
      problems.push(
        `WEBHOOK_GLOBAL_HEADERS: ${JSON.stringify(name)} must be a header name with a value in Latin-1`,
      );
    }
  }
  if (!enabled || url === undefined) return undefined;
  return {
    url,
    byEvents: values.WEBHOOK_GLOBAL_WEBHOOK_BY_EVENTS,
    headers: values.WEBHOOK_GLOBAL_HEADERS,
    signingSecrets: values.WEBHOOK_SIGNING_SECRET,
    events,
  };
}

function webhookOf(values: Values, problems: string[]): WebhookConfig {
  const statuses = values.WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES.map(Number);
  if (statuses.some((status) => !Number.isInteger(status) || status < 300 || status > 599)) {
    problems.push(
      'WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES: must be a comma-separated list of codes from 300 to 599',
    );
  }
  return {
    stripApikey: values.WEBHOOK_STRIP_APIKEY,
    legacyPaths: values.WEBHOOK_LEGACY_PATHS,
    timeoutMs: values.WEBHOOK_REQUEST_TIMEOUT_MS,
    connectTimeoutMs: Math.min(values.WEBHOOK_CONNECT_TIMEOUT_MS, values.WEBHOOK_REQUEST_TIMEOUT_MS),
    rejectedStatuses: new Set(statuses),
    allowedNetworks: values.WEBHOOK_ALLOWED_NETWORKS,
  };
}

function retryOf(values: Values): RetryConfig {
  return {
    concurrency: values.RETRY_CONCURRENCY,
    maxAttempts: values.WEBHOOK_RETRY_MAX_ATTEMPTS,
    initialDelayMs: values.WEBHOOK_RETRY_INITIAL_DELAY_SECONDS * 1000,
    maxDelayMs: values.WEBHOOK_RETRY_MAX_DELAY_SECONDS * 1000,
    exponential: values.WEBHOOK_RETRY_USE_EXPONENTIAL_BACKOFF,
    jitter: values.WEBHOOK_RETRY_JITTER_FACTOR,
    deadLetterMaxAgeMs: values.DEAD_LETTER_MAX_AGE_DAYS * DAY_MS,
    deadLetterMaxCount: values.DEAD_LETTER_MAX_COUNT,
    deadLetterShare: {
      maxCount: values.DEAD_LETTER_MAX_COUNT_PER_INSTANCE,
      maxBytes: values.DEAD_LETTER_MAX_BYTES_PER_INSTANCE,
    },
    parkedMaxAgeMs: values.PARKED_MAX_AGE_DAYS * DAY_MS,
    parkedMaxBytes: {
      perInstance: values.PARKED_MAX_BYTES_PER_INSTANCE,
      perGlobalDestination: values.PARKED_MAX_BYTES_PER_GLOBAL_DESTINATION,
    },
  };
}

/** The relay's own levels, and the words of the core API's LOG_LEVEL list. */
const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'log', 'verbose', 'dark', 'webhooks', 'websocket'];

function logLevelsOf({ LOG_LEVEL: levels }: Values, problems: string[]): readonly string[] {
  if (!levels.every((level) => LOG_LEVELS.includes(level.toLowerCase()))) {
    problems.push(`LOG_LEVEL: must be of ${LOG_LEVELS.join(', ')}`);
  }
  return levels;
}

function settingsOf(values: Values, problems: string[], warnings: string[]): SettingsConfig {
  if (values.SETTINGS_ACCEPT_CLEAR && values.SETTINGS_ENCRYPTION_KEY.length > 0) {
    warnings.push(
      'SETTINGS_ACCEPT_CLEAR is true: whoever can write to Redis can put settings into force; run `evolution-relay settings encrypt`, then unset it',
    );
  }
  if (!values.SETTINGS_ENCRYPTION_KEY.every(isEncryptionKey)) {
    problems.push(
      'SETTINGS_ENCRYPTION_KEY: must be 32 bytes in base64, such as the output of: openssl rand -base64 32',
    );
  }
  return {
    file: values.SETTINGS_FILE,
    encryptionKeys: values.SETTINGS_ENCRYPTION_KEY,
    acceptClear: values.SETTINGS_ACCEPT_CLEAR,
  };
}

/** 256 bits, in base64 or base64url. */
function isEncryptionKey(text: string): boolean {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text);
}
