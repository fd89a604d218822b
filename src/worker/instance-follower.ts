import type { Settings } from '../settings/schema';
import type { SettingsCache } from '../settings/settings-cache';

export interface InstanceFollowerParts {
  readonly settings: SettingsCache;
  /** Instances whose settings in Redis say that what is theirs at this broker is consumed. */
  readonly names: () => Promise<readonly string[]>;
  /** Makes the source do as an instance's settings say; whether anything of it is consumed. */
  readonly apply: (instance: string, settings: Settings | undefined) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

/** Makes a source consume what belongs to those instances whose settings say so, as settings change. */
export class InstanceFollower {
  /** Those of which something is or may be consumed. */
  private readonly known: Set<string>;

  /** @param fromStart instances of SETTINGS_FILE: the source may consume what is theirs, and Redis may say otherwise */
  constructor(
    private readonly parts: InstanceFollowerParts,
    fromStart: Iterable<string>,
  ) {
    this.known = new Set(fromStart);
  }

  /** Takes what SettingsCache tells: an instance whose settings changed, or undefined where any may have. */
  async change(instance: string | undefined): Promise<void> {
    try {
      for (const name of instance === undefined ? await this.all() : [instance]) await this.follow(name);
    } catch (error) {
      this.parts.onError(error);
    }
  }

  private async all(): Promise<Set<string>> {
    return new Set([...this.known, ...(await this.parts.names())]);
  }

  private async follow(instance: string): Promise<void> {
    const { settings, apply } = this.parts;
    const isConsumed = await apply(instance, await settings.of(instance));
    if (isConsumed) this.known.add(instance);
    else this.known.delete(instance);
  }
}
