import { MODULES } from '../../../src/modules';
import type { Settings } from '../../../src/settings/section';
import type { SettingsCacheParts } from '../../../src/settings/settings-cache';
import { SettingsInvalidError, SettingsUnreadableError } from '../../../src/settings/settings-errors';
import type { StoredSettings } from '../../../src/settings/settings-store';
import type { SettingsSubscriber } from '../../../src/settings/settings-subscriber';

/** Settings of one webhook, by whose URL a test knows them again. */
export const settingsTo = (url: string): Settings => ({
  webhooks: {},
  webhook: { enabled: true, url, byEvents: false, base64: false, headers: {}, events: [] },
});

/**
 * Settings in memory, and the connection that tells of changes. Each answer of the store is what it was when it was asked
 * for, and comes when the test says so: as it is between two connections to Redis.
 */
export class FakeSettings {
  readonly channel = 'changed';
  readonly stored = new Map<string, Settings | 'unreadable'>();
  /** Answers that were asked for and not given; `hold` false: each is given at once. */
  readonly open: { readonly what: string; readonly give: () => void }[] = [];
  hold = false;
  isAway = false;
  /** Messages do not arrive. */
  isDeaf = false;
  readonly looked: string[] = [];
  private version = 0;
  private readonly changes: string[] = [];
  private listener: (channel: string, message: string) => void = () => {};
  private recovered: () => void = () => {};

  readonly store: SettingsCacheParts['store'] = {
    sections: MODULES.sections,
    channel: this.channel,
    lookUp: (instance) => {
      this.looked.push(instance);
      const value = this.stored.get(instance);
      return this.answer(`lookUp ${instance}`, storedOf(instance, value));
    },
    snapshot: () => this.answer('snapshot', { version: this.version, names: [...this.stored.keys()] }),
    changesSince: (since) =>
      this.answer('changesSince', { version: this.version, instances: this.changes.slice(since) }),
  };

  readonly subscriber: SettingsSubscriber = {
    subscribe: () => this.answer('subscribe', undefined),
    onMessage: (listener) => {
      this.listener = listener;
    },
    onRecovered: (listener) => {
      this.recovered = listener;
    },
  };

  /** As SWAP does it, and the message that follows. */
  change(instance: string, value: Settings | 'unreadable' | undefined): void {
    if (value === undefined) this.stored.delete(instance);
    else this.stored.set(instance, value);
    this.version++;
    this.changes.push(instance);
    if (!this.isDeaf) this.listener(this.channel, instance);
  }

  recover(): void {
    this.recovered();
  }

  /** Gives the first open answer whose question begins so. */
  give(what: string): void {
    const index = this.open.findIndex((each) => each.what.startsWith(what));
    if (index < 0) throw new Error(`${what} was not asked for: ${this.open.map((each) => each.what)}`);
    this.open.splice(index, 1)[0]?.give();
  }

  giveAll(): void {
    this.hold = false;
    while (this.open.length > 0) this.give('');
  }

  private answer<T>(what: string, value: T): Promise<T> {
    if (this.isAway) return Promise.reject(new Error('away'));
    if (!this.hold) return Promise.resolve(value);
    return new Promise((resolve) => this.open.push({ what, give: () => resolve(value) }));
  }
}

function storedOf(instance: string, value: Settings | 'unreadable' | undefined): StoredSettings {
  if (value === undefined) return { kind: 'absent' };
  if (value !== 'unreadable') return { kind: 'readable', settings: value, isUpToDate: true };
  const error = new SettingsUnreadableError(instance, new SettingsInvalidError('they are no JSON'));
  return { kind: 'unreadable', error };
}
