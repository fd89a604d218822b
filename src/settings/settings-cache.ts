import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { StoreUnavailableError } from '../errors';
import type { Logger } from '../observability/logging';
import { throttled } from '../observability/report';
import { Backoff } from '../time/backoff';
import { forEachApart } from '../time/for-each-apart';
import { within } from '../time/within';
import type { Settings } from './section';
import { SettingsUnreadableError } from './settings-errors';
import type { FileFault } from './settings-file';
import type { SettingsStore } from './settings-store';
import type { SettingsSubscriber } from './settings-subscriber';
import { Unreadables } from './unreadables';

export interface SettingsCacheParts {
  readonly store: Pick<SettingsStore, 'sections' | 'channel' | 'lookUp' | 'snapshot' | 'changesSince'>;
  readonly subscriber: SettingsSubscriber;
  /** Settings of SETTINGS_FILE; those in Redis come first, section by section. */
  readonly file: ReadonlyMap<string, Settings>;
  /** Its entries that are wrong: what is in force for their instances is not known. */
  readonly fileFaults?: readonly FileFault[];
  /** The settings of this instance changed; undefined: any may have. */
  readonly onChange: (instance: string | undefined) => void;
  /** How many instances are unreadable now. */
  readonly onUnreadable?: (count: number) => void;
  /** Redis is away. */
  readonly onError: (error: unknown) => void;
  readonly log: Logger;
  /** How often missed changes are looked for, milliseconds. */
  readonly recheckMs?: number;
}

/** What is in force for an instance; an error where that cannot be read, and asking again does not help. */
export type InForce = Settings | SettingsUnreadableError | undefined;

/** Waits for `start`, reads what there is, knows what there is, or is closed. */
type State = 'idle' | 'refreshing' | 'current' | 'closed';

interface Loading {
  readonly settings: Promise<InForce>;
  /** Something changed since it was read. */
  stale: boolean;
}

const MAX_INSTANCES = 100_000;
/** The cache takes memory as it fills: given `max` it would take that of all of them at once, two megabytes. */
const FILLED_UP_TO = { maxSize: MAX_INSTANCES, sizeCalculation: () => 1 };
const RETRY = { firstMs: 500, lastMs: 5000, jitter: 0.2 };
/** A change that no message announced is found within this. */
const RECHECK_MS = 20_000;
const SUBSCRIBE_MS = 10_000;
const READ_AT_ONCE = 20;
/**
 * Settings that changed each time while they were read are what was read last: what waits for them, and what of other instances
 * waits behind that, must not wait for as long as somebody goes on changing them.
 */
const MOST_READS = 3;

/**
 * The settings in force, without a question to Redis for each event: read when an instance is first heard of, read anew
 * when it changes. While Redis is away what is known stays in force, and what is not known is waited for: an event
 * must not miss a destination because its settings could not be read. Settings that are there and cannot be read are
 * not waited for: they are known to be unreadable, and read again once a minute and whenever they change.
 */
export class SettingsCache {
  private readonly known = new LRUCache<string, Settings>(FILLED_UP_TO);
  private readonly unreadables: Unreadables;
  private readonly loading = new Map<string, Loading>();
  /** Instances with settings in Redis; undefined until Redis answered. */
  private stored: Set<string> | undefined;
  /** Version of all settings that `stored` is at least as new as. */
  private version = 0;
  private state: State = 'idle';
  /** Counts up whenever messages may have been missed: what was read before is to be read again. */
  private generation = 0;
  /** Changes that were announced while the names were being read: the answer may be older than they are. */
  private readonly heard = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();
  private readonly warnRestless: (instance: unknown) => void;

  constructor(private readonly parts: SettingsCacheParts) {
    const faults = (parts.fileFaults ?? []).map(({ error }) => error);
    this.unreadables = new Unreadables(parts.log, faults, (count) => parts.onUnreadable?.(count));
    this.warnRestless = throttled((instance) =>
      parts.log.warn(
        'settings change again while they are read: events that wait for them take those that were read',
        {
          instance: String(instance),
        },
      ),
    );
  }

  start(): void {
    const { subscriber, store, recheckMs = RECHECK_MS } = this.parts;
    subscriber.onMessage((channel, instance) => {
      if (channel === store.channel) this.change(instance);
    });
    // What changed while the connection was down was not heard.
    subscriber.onRecovered(() => this.refresh());
    this.timer = setInterval(() => void this.recheck(), recheckMs);
  }

  /** The settings of an instance: at once where they are known, which is nearly always. */
  of(instance: string): InForce | Promise<InForce> {
    const fault = this.unreadables.inFile(instance);
    if (fault !== undefined) return fault;
    const known = this.known.get(instance);
    if (known !== undefined) return known;
    if (this.stored !== undefined && !this.stored.has(instance)) return this.parts.file.get(instance);
    return this.unreadables.of(instance) ?? this.load(instance);
  }

  /** How many instances may have settings, counted twice where they are in both places; undefined while that is not known. */
  get count(): number | undefined {
    return this.stored === undefined ? undefined : this.stored.size + this.parts.file.size;
  }

  /** Instances whose settings cannot be read, of those that were heard of. */
  get unreadable(): number {
    return this.unreadables.count;
  }

  /** Settings that were read turned out not to be usable: they count as unreadable. */
  reject(instance: string, cause: unknown): SettingsUnreadableError {
    this.known.delete(instance);
    return this.unreadables.add(new SettingsUnreadableError(instance, cause));
  }

  /** They may have changed without a word: they are read anew before they are used again. */
  doubt(instance: string): void {
    this.change(instance);
  }

  /** What is waited for is given up, with StoreUnavailableError. */
  close(): void {
    this.setState('closed');
    clearInterval(this.timer);
    this.closing.abort();
  }

  private setState(state: State): void {
    if (this.state === state || this.state === 'closed') return;
    this.parts.log.debug('settings', { from: this.state, to: state });
    this.state = state;
  }

  private get isClosed(): boolean {
    return this.state === 'closed';
  }

  private load(instance: string): Promise<InForce> {
    const under = this.loading.get(instance);
    if (under !== undefined) return under.settings;
    const loading: Loading = { settings: this.read(instance, () => loading), stale: false };
    this.loading.set(instance, loading);
    return loading.settings;
  }

  private async read(instance: string, loading: () => Loading): Promise<InForce> {
    const { store, onError } = this.parts;
    const backoff = new Backoff(RETRY);
    for (let reads = 1; ; ) {
      if (this.isClosed) throw new StoreUnavailableError('the settings are closed');
      try {
        const stored = await store.lookUp(instance);
        const isStale = loading().stale;
        if (isStale && reads++ < MOST_READS) {
          loading().stale = false;
          continue;
        }
        this.loading.delete(instance);
        // Whatever comes after what waited has them read anew.
        if (isStale) {
          this.warnRestless(instance);
          setImmediate(() => this.change(instance));
        }
        return stored.kind === 'unreadable'
          ? this.unreadables.add(stored.error)
          : this.take(instance, stored.kind === 'readable' ? stored.settings : undefined);
      } catch (error) {
        onError(error);
        await this.pause(backoff);
      }
    }
  }

  private take(instance: string, stored: Settings | undefined): Settings | undefined {
    const settings = this.parts.store.sections.merge(this.parts.file.get(instance), stored);
    if (stored === undefined) this.stored?.delete(instance);
    else if (settings !== undefined) this.known.set(instance, settings);
    // Others may have gone by what was known of it before.
    if (this.unreadables.remove(instance)) this.parts.onChange(instance);
    return settings;
  }

  private change(instance: string): void {
    if (this.isClosed) return;
    if (this.state === 'refreshing') this.heard.add(instance);
    this.stored?.add(instance);
    this.known.delete(instance);
    this.unreadables.expire(instance);
    const loading = this.loading.get(instance);
    if (loading !== undefined) loading.stale = true;
    this.parts.onChange(instance);
  }

  private refresh(): void {
    this.generation++;
    if (this.state === 'refreshing' || this.isClosed) return;
    this.setState('refreshing');
    void this.readNames();
  }

  /** Until one reading is whole: one during which messages may have been missed is made again. */
  private async readNames(): Promise<void> {
    const { subscriber, store, onError, onChange } = this.parts;
    const backoff = new Backoff(RETRY);
    while (!this.isClosed) {
      const { generation } = this;
      try {
        const late = (): Error => new StoreUnavailableError('Redis does not answer to a subscription');
        await within(Promise.resolve(subscriber.subscribe(store.channel)), SUBSCRIBE_MS, late);
        this.heard.clear();
        const { version, names } = await store.snapshot();
        if (this.isClosed) return;
        if (generation !== this.generation) continue;
        this.stored = new Set([...names, ...this.heard]);
        this.version = version;
        this.forget();
        this.setState('current');
        return onChange(undefined);
      } catch (error) {
        onError(error);
        await this.pause(backoff);
      }
    }
  }

  private forget(): void {
    this.heard.clear();
    this.known.clear();
    this.unreadables.expireAll((instance) => this.stored?.has(instance) === true);
    for (const loading of this.loading.values()) loading.stale = true;
  }

  /** A connection may be alive and bring no messages: the cache polls for changes, too. */
  private async recheck(): Promise<void> {
    if (this.state !== 'current') return;
    const { store, onError } = this.parts;
    const { generation } = this;
    try {
      const { version, instances } = await store.changesSince(this.version);
      if (this.state !== 'current' || generation !== this.generation) return;
      this.version = version;
      if (instances === undefined) return this.refresh();
      for (const instance of instances) this.change(instance);
      await forEachApart({
        items: this.unreadables.due(),
        atOnce: READ_AT_ONCE,
        work: (instance) => this.load(instance),
        onFault: onError,
      });
    } catch (error) {
      onError(error);
    }
  }

  private async pause(backoff: Backoff): Promise<void> {
    // Cut short by `close`.
    await delay(backoff.next(), undefined, { signal: this.closing.signal }).catch(() => {});
  }
}
