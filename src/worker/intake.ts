import type { Config } from '../config/config';
import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import type { SourceMessage } from '../pipeline/message';
import type { Settings } from '../settings/section';
import type { SettingsCache } from '../settings/settings-cache';
import type { SettingsStore } from '../settings/settings-store';
import type {
  OpenSource,
  SecondCopies,
  SourceContext,
  SourceModule,
  SourceQueue,
} from '../sources/source-module';
import { InstanceFollower } from './instance-follower';

export interface SourcesParts {
  readonly modules: readonly SourceModule[];
  readonly config: Config;
  /** Of SETTINGS_FILE, by instance. */
  readonly file: ReadonlyMap<string, Settings>;
  readonly settings: Pick<SettingsCache, 'of'>;
  readonly store: Pick<SettingsStore, 'namesWith'>;
  readonly notes: SourceContext['notes'];
  readonly log: Logger;
}

/** A source, and what keeps it to the settings of instances. */
interface Intake extends OpenSource {
  readonly follower: InstanceFollower;
}

/** The sources that are switched on, as one. */
export class Sources {
  private readonly intakes: readonly Intake[];

  constructor(parts: SourcesParts) {
    const { modules, config } = parts;
    const enabled = modules.filter((module) => module.isEnabled(config));
    const maxBytes = Math.floor(config.delivery.maxBytesInFlight / Math.max(1, enabled.length));
    this.intakes = enabled.map((module) => intakeOf(module, maxBytes, parts));
  }

  /** Every source by name, with what it waits for. */
  get states(): readonly { readonly name: string; readonly ready: boolean; readonly detail: string }[] {
    return this.intakes.map(({ source: { name, state } }) => ({ name, ...state }));
  }

  /** Of the source that has two copies of each event, where one has. */
  get secondCopies(): SecondCopies | undefined {
    return this.intakes.find(({ secondCopies }) => secondCopies !== undefined)?.secondCopies;
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    const all = this.intakes.map(({ source }) => source.held);
    return {
      messages: all.reduce((sum, { messages }) => sum + messages, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /** Follows a change of settings: of this instance, or of any (undefined). */
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
    await Promise.all(this.intakes.map((intake) => intake.close()));
  }

  async depths(): Promise<readonly SourceQueue[]> {
    const all = await Promise.all(this.intakes.map((intake) => intake.depths()));
    return all.flat();
  }
}

function intakeOf(module: SourceModule, maxBytes: number, parts: SourcesParts): Intake {
  const { config, file, settings, store, log } = parts;
  const { section } = module;
  const opened = module.open({ config, maxBytes, log, notes: parts.notes });
  for (const [instance, each] of file) opened.follow(instance, each);
  const follower = new InstanceFollower(
    {
      settings,
      names: async () => [
        ...(section === undefined ? [] : await store.namesWith(section)),
        ...((await opened.notedInstances?.()) ?? []),
      ],
      apply: async (instance, each) => opened.follow(instance, each),
      onError: (error, instance) =>
        log.warn(`${opened.ownName} of an instance cannot be consumed`, {
          instance,
          ...describeError(error),
        }),
    },
    file.keys(),
  );
  return { ...opened, follower };
}
