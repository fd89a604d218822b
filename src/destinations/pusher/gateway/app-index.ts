import type { Settings } from '../../../settings/section';
import { monotonicMs } from '../../../time/monotonic';
import { pusherSection } from '../pusher-section';
import type { AppCredentials } from '../signer';

/** Settings are searched again at most this often, however many clients ask. */
export const MAX_AGE_MS = 10_000;

/** An app that somebody has set. */
export interface KnownApp {
  readonly credentials: AppCredentials;
  /** Whose events go to its channels; undefined: the global app, which has the channels of all instances. */
  readonly instances: ReadonlySet<string> | undefined;
}

export interface PusherAppIndexParts {
  readonly global: AppCredentials | undefined;
  readonly allSettings: () => AsyncIterable<readonly [instance: string, settings: Settings]>;
  /** Called with all apps each time that they were looked through. */
  readonly onRead?: (apps: readonly KnownApp[]) => void;
}

interface OwnApp {
  readonly credentials: AppCredentials;
  readonly instances: Set<string>;
}

/** Which apps there are, by id: webhooks name nothing else. */
export class PusherAppIndex {
  private byId: ReadonlyMap<string, readonly KnownApp[]> = new Map();
  private readAt = Number.NEGATIVE_INFINITY;
  private reading: Promise<void> | undefined;

  constructor(private readonly parts: PusherAppIndexParts) {}

  /** Where settings cannot be read, the global app is known all the same. */
  async appsOf(appId: string): Promise<readonly KnownApp[]> {
    const { global } = this.parts;
    const isGlobal = global?.appId === appId;
    try {
      await this.refresh();
    } catch (error) {
      if (!isGlobal && !this.byId.has(appId)) throw error;
    }
    const own = this.byId.get(appId) ?? [];
    return isGlobal ? [{ credentials: global, instances: undefined }, ...own] : own;
  }

  /** Looks through the settings again unless that was done lately. */
  async refresh(): Promise<void> {
    if (monotonicMs() - this.readAt <= MAX_AGE_MS) return;
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  private async read(): Promise<void> {
    const apps = new Map<string, OwnApp>();
    for await (const [instance, settings] of this.parts.allSettings()) {
      const pusher = pusherSection.of(settings);
      if (pusher?.enabled !== true) continue;
      const { appId, key, secret } = pusher;
      // Instances often share one app.
      const name = JSON.stringify([appId, key, secret]);
      const app = apps.get(name) ?? { credentials: { appId, key, secret }, instances: new Set() };
      apps.set(name, { ...app, instances: app.instances.add(instance) });
    }
    const byId = new Map<string, KnownApp[]>();
    for (const app of apps.values()) {
      const { appId } = app.credentials;
      const same = byId.get(appId);
      if (same === undefined) byId.set(appId, [app]);
      else same.push(app);
    }
    this.byId = byId;
    this.readAt = monotonicMs();
    this.tell();
  }

  private tell(): void {
    const { global, onRead } = this.parts;
    const own = [...this.byId.values()].flat();
    onRead?.(global === undefined ? own : [{ credentials: global, instances: undefined }, ...own]);
  }
}
