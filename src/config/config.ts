import { type AlertConfig, alertsOf } from './alert-config';
import { type DeliveryLogConfig, deliveryLogOf } from './delivery-log-config';
import { type GatewayConfig, gatewayOf } from './gateway-config';
import { type OutgoingConfig, outgoingOf } from './outgoing-config';
import type { Reading } from './reading';
import { type RedisConfig, redisOf } from './redis';
import { type ReferenceConfig, referencesOf } from './reference-config';
import { type TracingConfig, tracingOf } from './tracing-config';
import type { Values } from './variables';

/** The whole configuration: typed, checked, frozen. Durations are milliseconds, sizes bytes. */
export interface Config extends CoreConfig {
  /** Of the modules, each of which reads its own: `webhookConfig.of(config)`. */
  readonly parts: Readonly<Record<string, unknown>>;
}

/** What belongs to no single destination or source. */
export interface CoreConfig {
  /** The core API's own address, as it stands in its events. */
  readonly serverUrl: string;
  /** 0: events are not compared. */
  readonly deduplicationMs: number;
  readonly outgoing: OutgoingConfig;
  readonly delivery: DeliveryConfig;
  readonly retry: RetryConfig;
  readonly deliveryLog: DeliveryLogConfig;
  readonly alerts: AlertConfig;
  readonly redis: RedisConfig;
  readonly settings: SettingsConfig;
  readonly gateway: GatewayConfig;
  readonly references: ReferenceConfig;
  readonly metrics: { readonly host: string; readonly port: number };
  readonly log: {
    readonly levels: readonly string[];
    readonly color: boolean;
    readonly format: 'auto' | 'json' | 'text';
  };
  readonly shutdownTimeoutMs: number;
  /** Undefined: no traces. */
  readonly tracing: TracingConfig | undefined;
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
  /** A destination without one success for so long is suspended; 0: never. */
  readonly suspendAfterMs: number;
  readonly orderedMaxAgeMs: number;
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

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What no single variable can show wrong is checked here. */
export function coreConfigOf(values: Values, reading: Reading): CoreConfig {
  return {
    serverUrl: values.SERVER_URL,
    deduplicationMs: values.DEDUPLICATION_SECONDS * 1000,
    outgoing: outgoingOf(values, reading),
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
    deliveryLog: deliveryLogOf(values),
    alerts: alertsOf(values, reading),
    redis: redisOf(values, reading),
    settings: settingsOf(values, reading),
    gateway: gatewayOf(values, reading),
    references: referencesOf(values, values.GATEWAY_URL),
    metrics: { host: values.METRICS_HOST, port: values.METRICS_PORT },
    log: { levels: logLevelsOf(values, reading), color: values.LOG_COLOR, format: values.LOG_FORMAT },
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_SECONDS * 1000,
    tracing: tracingOf(values, reading),
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
    suspendAfterMs: values.SUSPEND_AFTER_HOURS * HOUR_MS,
    orderedMaxAgeMs: values.ORDERED_MAX_AGE_SECONDS * 1000,
    parkedMaxBytes: {
      perInstance: values.PARKED_MAX_BYTES_PER_INSTANCE,
      perGlobalDestination: values.PARKED_MAX_BYTES_PER_GLOBAL_DESTINATION,
    },
  };
}

/** The relay's own levels, and the words of the core API's LOG_LEVEL list. */
const LOG_LEVELS = ['error', 'warn', 'info', 'debug', 'log', 'verbose', 'dark', 'webhooks', 'websocket'];

function logLevelsOf({ LOG_LEVEL: levels }: Values, reading: Reading): readonly string[] {
  if (!levels.every((level) => LOG_LEVELS.includes(level.toLowerCase()))) {
    reading.problem(
      `LOG_LEVEL: must be one of error, warn, info, debug, or a list of ${LOG_LEVELS.join(', ')}`,
    );
  }
  return levels;
}

function settingsOf(values: Values, reading: Reading): SettingsConfig {
  if (values.SETTINGS_ACCEPT_CLEAR && values.SETTINGS_ENCRYPTION_KEY.length > 0) {
    reading.warn(
      'SETTINGS_ACCEPT_CLEAR is true: whoever can write to Redis can put settings into force; run `evolution-relay settings encrypt`, then unset it',
    );
  }
  if (!values.SETTINGS_ENCRYPTION_KEY.every(isEncryptionKey)) {
    reading.problem(
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
