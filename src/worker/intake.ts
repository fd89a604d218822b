import type { Config } from '../config/config';
import { AddressGuard } from '../network/address-guard';
import { Downloader } from '../network/download';
import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import type { SourceMessage } from '../pipeline/message';
import type { Settings } from '../settings/section';
import type { SettingsCache } from '../settings/settings-cache';
import type { SettingsStore } from '../settings/settings-store';
import { consumedExchanges, exchangeOf, topologyOf } from '../sources/rabbitmq/exchanges';
import { rabbitMqConfig } from '../sources/rabbitmq/rabbitmq-config';
import { rabbitMqSection } from '../sources/rabbitmq/rabbitmq-section';
import { RabbitMqSource } from '../sources/rabbitmq/rabbitmq-source';
import type { Source } from '../sources/source';
import { queuesOf } from '../sources/sqs/instance-queues';
import { sqsConfig } from '../sources/sqs/sqs-config';
import { sqsSection } from '../sources/sqs/sqs-section';
import { SqsSource } from '../sources/sqs/sqs-source';
import { InstanceFollower } from './instance-follower';

/** Depth of a source queue; what a broker does not tell is not there. */
export interface SourceQueue {
  readonly queue: string;
  readonly messages: number;
  readonly consumers?: number;
  readonly inFlight?: number;
  readonly oldestSeconds?: number;
}

export interface SourcesParts {
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly file: ReadonlyMap<string, Settings>;
  readonly settings: SettingsCache;
  readonly store: SettingsStore;
  readonly log: Logger;
}

/** A source with what the worker needs around it. */
interface Intake {
  readonly source: Source & { readonly held: { readonly messages: number; readonly bytes: number } };
  readonly depths: () => Promise<readonly SourceQueue[]>;
  readonly follower: InstanceFollower;
  readonly close: () => Promise<unknown>;
}

/** An event that was too large for SQS is larger still where media is embedded; the core API takes as much as this. */
const LARGEST_CLAIM_BYTES = 134_217_728;
const CLAIM_TIMEOUT_MS = 60_000;
/** Without any progress of its download; the message goes back then. */
const CLAIM_IDLE_MS = 10_000;

/** The sources that are switched on, as one. */
export class Sources {
  private readonly intakes: readonly Intake[];

  constructor(parts: SourcesParts) {
    const { delivery } = parts.config;
    const rabbitmq = rabbitMqConfig.of(parts.config);
    const sqs = sqsConfig.of(parts.config);
    const count = Number(rabbitmq.enabled) + Number(sqs.enabled);
    const maxBytes = Math.floor(delivery.maxBytesInFlight / Math.max(1, count));
    this.intakes = [
      ...(rabbitmq.enabled ? [rabbitMqIntake(parts, maxBytes)] : []),
      ...(sqs.enabled ? [sqsIntake(parts, maxBytes)] : []),
    ];
  }

  /** Every source by name, with what it waits for. */
  get states(): readonly { readonly name: string; readonly ready: boolean; readonly detail: string }[] {
    return this.intakes.map(({ source: { name, state } }) => ({ name, ...state }));
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    const all = this.intakes.map(({ source }) => source.held);
    return {
      messages: all.reduce((sum, { messages }) => sum + messages, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Takes what SettingsCache tells: an instance whose settings changed, or undefined where any may have. */
  changed(instance: string | undefined): void {
    for (const { follower } of this.intakes) follower.change(instance);
  }

  async start(handle: (source: string, message: SourceMessage) => void): Promise<void> {
    await Promise.all(
      this.intakes.map(({ source }) => source.start((message) => handle(source.name, message))),
    );
  }

  async stopIntake(): Promise<void> {
    for (const { follower } of this.intakes) follower.close();
    await Promise.all(this.intakes.map(({ source }) => source.stopIntake()));
  }

  async close(): Promise<void> {
    await Promise.all(this.intakes.map(({ close }) => close()));
  }

  async depths(): Promise<readonly SourceQueue[]> {
    const all = await Promise.all(this.intakes.map(({ depths }) => depths()));
    return all.flat();
  }
}

function rabbitMqIntake({ config, file, settings, store, log }: SourcesParts, maxBytes: number): Intake {
  const rabbitmq = rabbitMqConfig.of(config);
  const source = new RabbitMqSource({
    uri: rabbitmq.uri,
    frameMax: rabbitmq.frameMax,
    prefetch: rabbitmq.prefetch,
    maxBytes,
    exchanges: consumedExchanges(config, file),
    topology: topologyOf(config),
    log,
  });
  const follower = new InstanceFollower(
    {
      settings,
      names: () => store.namesWith(rabbitMqSection),
      apply: async (instance, each) => {
        const exchange = exchangeOf(instance, each);
        if (exchange === undefined) source.dropExchange(instance);
        else source.consumeExchange(exchange);
        return exchange !== undefined;
      },
      onError: (error, instance) =>
        log.warn('the exchange of an instance cannot be consumed', { instance, ...describeError(error) }),
    },
    file.keys(),
  );
  return { source, follower, depths: () => source.depths(), close: () => source.close() };
}

function sqsIntake({ config, file, settings, store, log }: SourcesParts, maxBytes: number): Intake {
  const sqs = sqsConfig.of(config);
  const downloader = new Downloader({
    maxBytes: Math.min(LARGEST_CLAIM_BYTES, maxBytes),
    timeoutMs: CLAIM_TIMEOUT_MS,
    idleMs: CLAIM_IDLE_MS,
    guard: new AddressGuard(config.outgoing.allowedNetworks),
    trustedOrigin: sqs.s3Origin,
  });
  const source = new SqsSource({
    ...sqs,
    connection: sqs,
    maxMessages: sqs.prefetch,
    maxBytes,
    downloader,
    log,
  });
  const apply = (instance: string, each: Settings | undefined): boolean => {
    const events = queuesOf(each);
    if (events === undefined) source.dropInstance(instance);
    else source.consumeInstance(instance, events);
    return events !== undefined;
  };
  for (const [instance, each] of file) apply(instance, each);
  const follower = new InstanceFollower(
    {
      settings,
      names: () => store.namesWith(sqsSection),
      apply: async (instance, each) => apply(instance, each),
      onError: (error, instance) =>
        log.warn('the queues of an instance cannot be consumed', { instance, ...describeError(error) }),
    },
    file.keys(),
  );
  return {
    source,
    follower,
    depths: () => source.depths(),
    close: () => source.close().then(() => downloader.close()),
  };
}
