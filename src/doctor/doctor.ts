import type { Config } from '../config/config';
import { inspectPushers } from '../destinations/pusher/pusher-doctor';
import { inspectWebhooks } from '../destinations/webhook/webhook-doctor';
import { StoreUnavailableError } from '../errors';
import { inspectShares } from '../ledger/ledger-doctor';
import { AddressGuard } from '../network/address-guard';
import { Downloader } from '../network/download';
import type { Finding } from '../observability/finding';
import { inspectRedis } from '../redis/redis-doctor';
import type { RelayRedis } from '../redis/relay-redis';
import { withRedis } from '../redis/with-redis';
import { RetryStore } from '../retry/retry-store';
import { openSettingsStore } from '../settings/open-store';
import type { Settings } from '../settings/schema';
import { inspectSettings } from '../settings/settings-doctor';
import { consumedExchanges, topologyOf } from '../sources/rabbitmq/exchanges';
import { inspectRabbitMq } from '../sources/rabbitmq/rabbitmq-doctor';
import { consumedQueues } from '../sources/sqs/instance-queues';
import { inspectSqs } from '../sources/sqs/sqs-doctor';
import { inspectAddresses } from './address-findings';

/** S3 is asked for nothing in particular: it need only answer. */
const S3_TIMEOUT_MS = 10_000;

export interface DoctorParts {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Of SETTINGS_FILE, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

/** Looks at everything that is configured, and changes nothing; a Pusher app gets one event that nobody subscribes to. */
export async function examine({ config, warnings, settings: file }: DoctorParts): Promise<Finding[]> {
  const stored = await inspectStore(config, file);
  const { settings } = stored;
  const [rabbitmq, sqs, webhooks, pushers] = await Promise.all([
    inspectBroker(config, settings),
    inspectQueues(config, settings),
    inspectWebhooks(config, settings),
    inspectPushers(config, settings),
  ]);
  return [
    ...inspectConfig(config, warnings),
    ...rabbitmq,
    ...sqs,
    ...stored.findings,
    ...webhooks,
    ...pushers,
  ];
}

function inspectConfig(config: Config, warnings: readonly string[]): Finding[] {
  const part = 'configuration';
  const notes = warnings.map((detail): Finding => ({ part, check: 'variables', state: 'trouble', detail }));
  const isOpen = config.gateway.apiKey !== '';
  return [
    ...(notes.length > 0
      ? notes
      : [{ part, check: 'variables', state: 'ok' as const, detail: 'all understood' }]),
    isOpen
      ? { part, check: 'gateway', state: 'ok', detail: 'AUTHENTICATION_API_KEY is set' }
      : {
          part,
          check: 'gateway',
          state: 'note',
          detail: 'AUTHENTICATION_API_KEY is not set: only worker can start',
        },
  ];
}

async function inspectStore(
  config: Config,
  file: ReadonlyMap<string, Settings>,
): Promise<{ findings: Finding[]; settings: ReadonlyMap<string, Settings> }> {
  try {
    return await withRedis(config.redis, async (redis) => {
      const store = openSettingsStore(config, redis);
      const { findings, settings } = await inspectSettings(config, store, file);
      const shares = await inspectParked(redis, config);
      return { findings: [...(await inspectRedis(redis, config.redis)), ...shares, ...findings], settings };
    });
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    const finding: Finding = { part: 'redis', check: 'connection', state: 'trouble', detail: error.message };
    return { findings: [finding], settings: file };
  }
}

async function inspectParked(redis: RelayRedis, { redis: { prefix }, retry }: Config): Promise<Finding[]> {
  const store = new RetryStore({ redis, prefix, onError: () => {} });
  try {
    const limits = { parkedBytes: retry.parkedMaxBytes, dead: retry.deadLetterShare };
    return [...(await inspectShares(store, limits)), ...(await inspectAddresses(store))];
  } finally {
    await store.close().catch(() => {});
  }
}

async function inspectBroker(config: Config, settings: ReadonlyMap<string, Settings>): Promise<Finding[]> {
  const { rabbitmq } = config;
  if (!rabbitmq.enabled) {
    return [{ part: 'rabbitmq', check: 'connection', state: 'note', detail: 'RABBITMQ_URI is not set' }];
  }
  return inspectRabbitMq({
    uri: rabbitmq.uri,
    frameMax: rabbitmq.frameMax,
    exchanges: consumedExchanges(config, settings),
    topology: topologyOf(config),
  });
}

async function inspectQueues(
  { sqs, webhook }: Config,
  settings: ReadonlyMap<string, Settings>,
): Promise<Finding[]> {
  if (!sqs.enabled) return [];
  const instances = consumedQueues(settings);
  const downloader = new Downloader({
    maxBytes: 0,
    timeoutMs: S3_TIMEOUT_MS,
    idleMs: S3_TIMEOUT_MS,
    guard: new AddressGuard(webhook.allowedNetworks),
    trustedOrigin: sqs.s3Origin,
  });
  try {
    return await inspectSqs({ ...sqs, connection: sqs, instances, downloader });
  } finally {
    await downloader.close();
  }
}
