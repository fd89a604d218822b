import { MODULES } from '../../src/modules';
import type { SettingsCacheParts } from '../../src/settings/settings-cache';
import { SettingsUnreadableError } from '../../src/settings/settings-errors';
import type { SettingsSubscriber } from '../../src/settings/settings-subscriber';
import type { Process } from './process';
import type { ModelRedis } from './redis';

/** What an instance's settings say: one webhook, two of them, or nothing that anybody could read. */
export type SettingsEditor = 'one' | 'two' | 'unreadable';

const WEBHOOK = { enabled: true, url: 'http://receiver.test/' };
const SETTINGS = {
  one: MODULES.sections.schema.parse({ webhook: WEBHOOK }),
  two: MODULES.sections.schema.parse({ webhook: WEBHOOK, webhooks: { second: WEBHOOK } }),
} as const;
const CHANNEL = 'settings';
const LATENCY_MS = 1;
const RECONNECT_MS = 500;

/** The settings that lie in Redis, and the connections that hear of changes. */
export class ModelSettings {
  readonly stored = new Map<string, SettingsEditor>();
  private readonly changes: string[] = [];
  private readonly subscribers = new Set<ModelSubscriber>();

  constructor(readonly redis: ModelRedis) {
    redis.onBack(() => this.reconnect());
  }

  set(instance: string, settings: SettingsEditor): void {
    this.stored.set(instance, settings);
    this.changes.push(instance);
    for (const subscriber of this.subscribers) subscriber.tell(instance);
  }

  /** Connections that hear of changes break, and are made anew. */
  breakSubscribers(): void {
    for (const subscriber of this.subscribers) subscriber.isConnected = false;
    this.redis.time.wire(RECONNECT_MS, () => this.reconnect());
  }

  subscriberOf(process: Process): SettingsSubscriber {
    const subscriber = new ModelSubscriber(this.redis, process);
    this.subscribers.add(subscriber);
    return subscriber;
  }

  storeOf(process: Process): SettingsCacheParts['store'] {
    const ask = <T>(work: () => T): Promise<T> => this.redis.ask(process, work);
    return {
      sections: MODULES.sections,
      channel: CHANNEL,
      lookUp: (instance) =>
        ask(() => {
          const kind = this.stored.get(instance);
          if (kind === undefined) return { kind: 'absent' };
          if (kind === 'unreadable') return { kind, error: new SettingsUnreadableError(instance, undefined) };
          return { kind: 'readable', settings: SETTINGS[kind], isUpToDate: true };
        }),
      snapshot: () => ask(() => ({ version: this.changes.length, names: [...this.stored.keys()] })),
      changesSince: (since) =>
        ask(() => ({ version: this.changes.length, instances: [...new Set(this.changes.slice(since))] })),
    };
  }

  private reconnect(): void {
    if (!this.redis.answers) return;
    for (const subscriber of this.subscribers) subscriber.connect();
  }
}

class ModelSubscriber implements SettingsSubscriber {
  isConnected = false;
  private onChange: (channel: string, instance: string) => void = () => {};
  private recovered: () => void = () => {};

  constructor(
    private readonly redis: ModelRedis,
    private readonly process: Process,
  ) {}

  subscribe(): Promise<unknown> {
    return this.redis.ask(this.process, () => undefined);
  }

  onMessage(listener: (channel: string, message: string) => void): void {
    this.onChange = listener;
  }

  onRecovered(listener: () => void): void {
    this.recovered = listener;
    this.connect();
  }

  connect(): void {
    if (this.isConnected || !this.redis.answers) return;
    this.isConnected = true;
    this.redis.time.wire(LATENCY_MS, () => this.process.reach(() => this.recovered()));
  }

  tell(instance: string): void {
    if (!this.isConnected || !this.redis.answers) {
      this.isConnected = false;
      return;
    }
    this.redis.time.wire(LATENCY_MS, () => this.process.reach(() => this.onChange(CHANNEL, instance)));
  }
}
