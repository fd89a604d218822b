import type { AppCredentials } from '../../destinations/pusher/signer';
import type { Settings } from '../../settings/schema';

/** Settings are looked through again at most so often, whoever asks. */
const MAX_AGE_MS = 10_000;

/** Which apps there are, by id: webhooks name nothing else. */
export class PusherAppIndex {
  private byId: ReadonlyMap<string, readonly AppCredentials[]> = new Map();
  private readAt = 0;
  private reading: Promise<void> | undefined;

  constructor(
    private readonly global: AppCredentials | undefined,
    private readonly allSettings: () => AsyncIterable<Settings>,
  ) {}

  async appsOf(appId: string): Promise<readonly AppCredentials[]> {
    if (Date.now() - this.readAt > MAX_AGE_MS) {
      this.reading ??= this.read().finally(() => {
        this.reading = undefined;
      });
      await this.reading;
    }
    const own = this.byId.get(appId) ?? [];
    return this.global?.appId === appId ? [this.global, ...own] : own;
  }

  private async read(): Promise<void> {
    const apps = new Map<string, Map<string, AppCredentials>>();
    for await (const { pusher } of this.allSettings()) {
      if (pusher?.enabled !== true) continue;
      const { appId, key, secret } = pusher;
      const same = apps.get(appId) ?? new Map<string, AppCredentials>();
      // Instances often share one app.
      apps.set(appId, same.set(JSON.stringify([key, secret]), { appId, key, secret }));
    }
    this.byId = new Map([...apps].map(([id, same]) => [id, [...same.values()]]));
    this.readAt = Date.now();
  }
}
