import { RelayError } from '../errors';
import { parseSettings } from './document';
import { MASK, pathsOfMasks } from './mask';
import { amend, unmask } from './merge-patch';
import { type PusherSettings, type Settings, webhookName } from './schema';
import { merge } from './settings-cache';
import type { SettingsStore } from './settings-store';
import { documentWith, pathOf, readSlot, type Slot, withoutSlot } from './slot';
import { withoutTimes } from './timestamps';

export interface InstanceSettingsParts {
  readonly store: SettingsStore;
  /** Of SETTINGS_FILE. */
  readonly file: ReadonlyMap<string, Settings>;
  /** What is wrong with an address that a tenant chose, as far as the address itself shows it: `url: must …`. */
  readonly checkUrl: (url: string) => string | undefined;
  /** What is wrong with an instance's Pusher app, as far as the settings themselves show it. */
  readonly checkPusher: (instance: string, pusher: PusherSettings) => string | undefined;
}

/** What a person may want to know about settings that were taken. */
export interface Taken {
  readonly settings: Settings;
  readonly warnings: readonly string[];
}

/** What was given cannot be set; nothing was changed. */
export class SettingsRefusedError extends RelayError {
  constructor(readonly problems: readonly string[]) {
    super('SETTINGS_REFUSED', problems.join('; '));
  }
}

/** There are settings of that name already. */
export class SettingsTakenError extends RelayError {
  constructor(instance: string) {
    super('SETTINGS_TAKEN', `This name "${instance}" is already in use.`);
  }
}

/** There is nothing to remove. */
export class SettingsMissingError extends RelayError {
  constructor(what: string) {
    super('SETTINGS_MISSING', `nothing is set for ${what}`);
  }
}

/** Looks at and changes what is set for instances, on behalf of a person or a client. */
export class InstanceSettings {
  constructor(private readonly parts: InstanceSettingsParts) {}

  /** What is in force: of Redis, and of the file. */
  async find(instance: string): Promise<Settings | undefined> {
    return merge(this.parts.file.get(instance), await this.parts.store.read(instance));
  }

  /**
   * Puts what a client gives into a slot.
   *
   * @throws SettingsRefusedError
   */
  async set(instance: string, slot: Slot, given: unknown): Promise<Taken> {
    checkName(slot);
    const fromFile = this.parts.file.get(instance);
    return this.change(instance, (before) =>
      documentWith(before, slot, amend(readSlot(merge(fromFile, before), slot), given)),
    );
  }

  /**
   * Replaces the sections that the document names; null removes one, others stay.
   *
   * @throws SettingsRefusedError
   */
  setSections(instance: string, sections: object): Promise<Taken> {
    const fromFile = this.parts.file.get(instance);
    const given = sectionsOf(sections);
    return this.change(instance, (before) => ({
      ...before,
      ...(unmask(given, merge(fromFile, before)) as object),
    }));
  }

  /** @throws SettingsRefusedError */
  replace(instance: string, document: unknown): Promise<Taken> {
    return this.change(instance, () => document);
  }

  /** @throws SettingsRefusedError, SettingsTakenError */
  create(instance: string, document: object): Promise<Taken> {
    const given = sectionsOf(document);
    return this.change(instance, (before) => {
      if (before !== undefined) throw new SettingsTakenError(instance);
      return given;
    });
  }

  /** @throws SettingsRefusedError */
  check(document: unknown): Taken {
    const parsed = parseSettings(document);
    const problems = parsed.ok ? this.problemsOf(parsed.settings) : parsed.problems;
    if (!parsed.ok || problems.length > 0) throw new SettingsRefusedError(problems);
    return parsed;
  }

  /** @throws SettingsMissingError, SettingsRefusedError where the file says so */
  async clear(instance: string, slot: Slot): Promise<void> {
    const what = `${pathOf(slot)} of ${instance}`;
    const inFile = readSlot(this.parts.file.get(instance), slot) !== undefined;
    await this.parts.store.update(instance, (before) => {
      if (before !== undefined && readSlot(before, slot) !== undefined) return withoutSlot(before, slot);
      throw inFile ? onlyInFile(what) : new SettingsMissingError(what);
    });
  }

  /** Forgets everything. @throws SettingsMissingError, SettingsRefusedError where the file says so */
  async remove(instance: string): Promise<void> {
    const inFile = this.parts.file.has(instance);
    await this.parts.store.update(instance, (before) => {
      if (before === undefined) throw inFile ? onlyInFile(instance) : new SettingsMissingError(instance);
      return undefined;
    });
  }

  private async change(
    instance: string,
    documentOf: (before: Settings | undefined) => unknown,
  ): Promise<Taken> {
    let warnings: readonly string[] = [];
    const settings = await this.parts.store.update(instance, (before) => {
      const taken = this.check(documentOf(before));
      this.checkPusher(instance, taken.settings);
      warnings = taken.warnings;
      return taken.settings;
    });
    return { settings, warnings };
  }

  private problemsOf(settings: Settings): string[] {
    const masks = pathsOfMasks(settings).map(
      (path) => `${path}: nothing is stored that ${MASK} could stand for; give the value itself`,
    );
    return [...masks, ...this.addressProblems(settings)];
  }

  private checkPusher(instance: string, { pusher }: Settings): void {
    const problem = pusher && this.parts.checkPusher(instance, pusher);
    if (problem !== undefined) throw new SettingsRefusedError([`pusher: ${problem}`]);
  }

  /** What the worker would refuse to connect to is refused here already. */
  private addressProblems({ webhook, webhooks }: Settings): string[] {
    const named = Object.entries(webhooks).map(([name, { url }]) => [`webhooks.${name}`, url] as const);
    const all = webhook === undefined ? named : [['webhook', webhook.url] as const, ...named];
    return all.flatMap(([section, url]) => {
      const problem = this.parts.checkUrl(url);
      return problem === undefined ? [] : [`${section}.${problem}`];
    });
  }
}

/** Here, as the schema of all settings leaves out `__proto__` without a word. */
function checkName(slot: Slot): void {
  if (slot.section !== 'webhooks') return;
  const { error } = webhookName.safeParse(slot.name);
  if (error !== undefined) {
    throw new SettingsRefusedError(error.issues.map(({ message }) => `${pathOf(slot)}: ${message}`));
  }
}

/** Sections as a client gives them: null is nothing, and times are not its to say. */
function sectionsOf(document: object): object {
  return Object.fromEntries(
    Object.entries(document).map(([name, item]) => [
      name,
      name === 'webhooks' ? eachWithoutTimes(item) : withoutTimes(item ?? undefined),
    ]),
  );
}

function eachWithoutTimes(webhooks: unknown): unknown {
  if (typeof webhooks !== 'object' || webhooks === null || Array.isArray(webhooks)) {
    return webhooks ?? undefined;
  }
  return Object.fromEntries(Object.entries(webhooks).map(([name, item]) => [name, withoutTimes(item)]));
}

function onlyInFile(what: string): SettingsRefusedError {
  return new SettingsRefusedError([
    `${what}: is set in SETTINGS_FILE; remove it there, or set enabled to false`,
  ]);
}
