import type { Config } from '../../config/config';
import type { EventFilter } from '../../events/filter';
import { AddressGuard } from '../../network/address-guard';
import { Downloader } from '../../network/download';
import type { Finding } from '../../observability/finding';
import type { OpenSource, SourceContext, SourceInspection, SourceModule } from '../source-module';
import { consumedQueues, queuesOf } from './instance-queues';
import { type SqsConfig, sqsConfig } from './sqs-config';
import { sqsSection } from './sqs-section';
import { SqsSource } from './sqs-source';

/** An event that was too large for SQS is larger still where media is embedded; the core API takes as much as this. */
const LARGEST_CLAIM_BYTES = 134_217_728;
const CLAIM_LIMITS = {
  timeoutMs: 60_000,
  /** Without any progress of its download; the message goes back then. */
  idleMs: 10_000,
};
/** S3 is asked for nothing in particular: it need only answer. */
const INSPECTION_LIMITS = { maxBytes: 0, timeoutMs: 10_000, idleMs: 10_000 };

export const sqsModule: SourceModule = {
  kind: 'sqs',
  config: sqsConfig,
  section: sqsSection,
  switchedOnBy: 'SQS_ENABLED',
  mostHeld: (config) => sqsConfig.of(config).prefetch,
  isEnabled: (config) => sqsConfig.of(config).enabled,
  globalEvents: (config) => globalEventsOf(sqsConfig.of(config)),
  open,
  inspect,
};

/** What is in listed queues is consumed as it is. */
function globalEventsOf({ enabled, queueUrls, global }: SqsConfig): EventFilter | undefined {
  if (!enabled) return undefined;
  return queueUrls.length > 0 ? 'all' : global?.events;
}

function open({ config, maxBytes, log }: SourceContext): OpenSource {
  const sqs = sqsConfig.of(config);
  const largest = Math.min(LARGEST_CLAIM_BYTES, maxBytes);
  const downloader = downloaderOf(config, { ...CLAIM_LIMITS, maxBytes: largest });
  const { prefetch: maxMessages } = sqs;
  const source = new SqsSource({ ...sqs, connection: sqs, maxMessages, maxBytes, downloader, log });
  return {
    source,
    ownName: 'the queues',
    follow: (instance, settings) => {
      const events = queuesOf(settings);
      if (events === undefined) source.dropInstance(instance);
      else source.consumeInstance(instance, events);
      return events !== undefined;
    },
    depths: () => source.depths(),
    close: () => source.close().then(() => downloader.close()),
  };
}

async function inspect({ config, settings }: SourceInspection): Promise<Finding[]> {
  const sqs = sqsConfig.of(config);
  if (!sqs.enabled) return [];
  const { inspectSqs } = await import('./sqs-doctor.js');
  const downloader = downloaderOf(config, INSPECTION_LIMITS);
  try {
    return await inspectSqs({ ...sqs, connection: sqs, instances: consumedQueues(settings), downloader });
  } finally {
    await downloader.close();
  }
}

interface Limits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly idleMs: number;
}

function downloaderOf(config: Config, limits: Limits): Downloader {
  const guard = new AddressGuard(config.outgoing.allowedNetworks);
  return new Downloader({ ...limits, guard, trustedOrigin: sqsConfig.of(config).s3Origin });
}
