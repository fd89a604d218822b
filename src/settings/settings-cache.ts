import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { StoreUnavailableError } from '../errors';
import type { Settings } from './schema';
import type { SettingsStore } from './settings-store';

export interface SettingsCacheParts {
  readonly store: SettingsStore;
  /** A connection of its own: it only listens. */
  readonly subscriber: Redis | Cluster;
  /** Settings of SETTINGS_FILE; those in Redis come first, section by section. */
  readonly file: ReadonlyMap<string, Settings>;
  /** The settings of this instance changed; undefined: any may have. */
  readonly onChange: (instance: string | undefined) => void;
  readonly onError: (error: unknown) => void;
}

const MAX_INSTANCES = 100_000;
const RETRY_MS = 500;

interface Loading {
  readonly settings: Promise<Settings | undefined>;
  /** Something changed since it was read. */
  stale: boolean;
}

/**
 * The settings in force, without a look at Redis for each event: read when an instance is first heard of, read anew
 * when it changes. While Redis is away what is known stays in force, and what is not known is waited for: an event
 * must not miss a destination because its settings could not be read.
 */
export class SettingsCache {
  private readonly known = new LRUCache<string, Settings>({ max: MAX_INSTANCES });
  private readonly loading = new Map<string, Loading>();
  /** Instances with settings in Redis; undefined until Redis told. */
  private stored: Set<string> | undefined;
  private readonly closing = new AbortController();

  constructor(private readonly parts: SettingsCacheParts) {}

  start(): void {
    const { subscriber, store } = this.parts;
    subscriber.on('message', (channel: string, instance: string) => {
      if (channel === store.channel) this.change(instance);
    });
    // What changed while the connection was down was not heard.
    subscriber.on('ready', () => void this.refresh());
    if (subscriber.status === 'ready') void this.refresh();
  }

  /** The settings of an instance: at once where they are known, which is nearly always. */
  of(instance: string): Settings | undefined | Promise<Settings | undefined> {
    const known = this.known.get(instance);
    if (known !== undefined) return known;
    if (this.stored !== undefined && !this.stored.has(instance)) return this.parts.file.get(instance);
    return this.load(instance);
  }

  /** What is waited for is given up, with StoreUnavailableError. */
  close(): void {
    this.closing.abort();
  }

  private load(instance: string): Promise<Settings | undefined> {
    const under = this.loading.get(instance);
    if (under !== undefined) return under.settings;
    const loading: Loading = { settings: this.read(instance, () => loading), stale: false };
    this.loading.set(instance, loading);
    return loading.settings;
  }

  private async read(instance: string, loading: () => Loading): Promise<Settings | undefined> {
    const { store, file, onError } = this.parts;
    for (;;) {
      if (this.closing.signal.aborted) throw new StoreUnavailableError('the settings are closed');
      try {
        const stored = await store.read(instance);
        if (loading().stale) {
          loading().stale = false;
          continue;
        }
        this.loading.delete(instance);
        const settings = merge(file.get(instance), stored);
        if (stored === undefined) this.stored?.delete(instance);
        else if (settings !== undefined) this.known.set(instance, settings);
        return settings;
      } catch (error) {
        onError(error);
        await this.pause();
      }
    }
  }

  private change(instance: string): void {
    this.stored?.add(instance);
    this.known.delete(instance);
    const loading = this.loading.get(instance);
    if (loading !== undefined) loading.stale = true;
    this.parts.onChange(instance);
  }

  private async refresh(): Promise<void> {
    const { subscriber, store, onError, onChange } = this.parts;
    try {
      await subscriber.subscribe(store.channel);
      this.stored = new Set(await store.names());
      this.known.clear();
      for (const loading of this.loading.values()) loading.stale = true;
      onChange(undefined);
    } catch (error) {
      onError(error);
      await this.pause();
      if (!this.closing.signal.aborted) await this.refresh();
    }
  }

  private async pause(): Promise<void> {
    // Cut short by `close`.
    await delay(RETRY_MS, undefined, { signal: this.closing.signal }).catch(() => {});
  }
}

/** A section that is set in Redis replaces the same section of the file. */
export function merge(file: Settings | undefined, stored: Settings | undefined): Settings | undefined {
  if (file === undefined || stored === undefined) return stored ?? file;
  return { ...file, ...stored, webhooks: { ...file.webhooks, ...stored.webhooks } };
}
