import type { Config } from '../config/config';
import { instanceNameOf, isKnown, warningsOfAll } from './document';
import { isFields } from './fields';
import { amend, unmask } from './merge-patch';
import { pathOf, type Section, type Settings, type Slot } from './section';
import type { Sections } from './sections';
import { SettingsMissingError, SettingsRefusedError, SettingsTakenError } from './settings-errors';
import type { FileFault } from './settings-file';
import { type Author, SettingsRules, type Taken } from './settings-rules';
import { type SettingsStore, type StoredSettings, settingsOrThrow } from './settings-store';
import { checkName, documentWith, readSlot, withoutSlot } from './slot';
import { switchesOff, warningsOfOff } from './switched-off';
import { withoutTimes } from './timestamps';
import { digestOf } from './token-entry';
import { namesNoSection } from './unknown-fields';

export interface SettingsEditorParts {
  readonly store: SettingsStore;
  /** Of SETTINGS_FILE. */
  readonly file: ReadonlyMap<string, Settings>;
  readonly fileFaults?: readonly FileFault[];
  readonly config: Config;
  /** What is worth knowing of all that is set for an instance together; each line begins with a section. */
  readonly alsoKnow?: (settings: Settings) => readonly string[];
}

/** A change of what is set for an instance. */
interface Change {
  readonly instance: string;
  readonly author: Author;
  readonly documentOf: (stored: StoredSettings) => unknown;
  /** Where it is about one slot. */
  readonly only?: Slot;
}

const REPLACED =
  'settings: what was stored could not be read, and was replaced as a whole by what is set now';

/** Looks at and changes what is set for instances, on behalf of a person or a client. */
export class SettingsEditor {
  private readonly sections: Sections;
  /** What may be set, for those who only want to know. */
  readonly rules: SettingsRules;

  constructor(private readonly parts: SettingsEditorParts) {
    const { store, file, config, alsoKnow } = parts;
    this.sections = store.sections;
    this.rules = new SettingsRules({ sections: this.sections, file, config, alsoKnow });
  }

  /** What is in force: of Redis, and of the file. @throws SettingsUnreadableError */
  async find(instance: string): Promise<Settings | undefined> {
    const fault = this.parts.fileFaults?.find(({ error }) => error.instance === instance);
    if (fault !== undefined) throw fault.error;
    return this.sections.merge(this.parts.file.get(instance), await this.parts.store.read(instance));
  }

  /** Whether anything was set for it, readable or not. @throws StoreUnavailableError */
  async isSet(instance: string): Promise<boolean> {
    if (this.parts.file.has(instance)) return true;
    return (await this.parts.store.lookUp(instance)).kind !== 'absent';
  }

  /**
   * SHA-256 of the instance's token, found without its settings being read; undefined where it has none, or where that
   * cannot be known as long as its settings cannot be read.
   *
   * @throws StoreUnavailableError
   */
  async tokenDigestOf(instance: string): Promise<Buffer | undefined> {
    const entry = await this.parts.store.tokenEntry(instance);
    if (entry?.kind !== 'none') return entry?.digest;
    const token = this.parts.file.get(instance)?.token;
    return token === undefined ? undefined : digestOf(token);
  }

  /**
   * Puts what a client gives into a slot.
   *
   * @throws SettingsRefusedError, SettingsUnreadableError
   */
  async set(instance: string, slot: Slot, given: unknown, author: Author = 'operator'): Promise<Taken> {
    checkName(slot);
    const { section } = slot;
    const fromFile = this.parts.file.get(instance);
    const asked = author === 'tenant' ? withoutUnknownOfOff(section, given) : given;
    const about = warningsOfOff(section.definition, pathOf(slot), section.withPresentNames(asked));
    const documentOf = (stored: StoredSettings): object => {
      const before = settingsOrThrow(stored);
      const inForce = readSlot(this.sections.merge(fromFile, before), slot);
      return documentWith(before, slot, amend(section, inForce, asked));
    };
    const taken = await this.change({ instance, author, documentOf, only: slot });
    const stays = staysOff(slot, given, readSlot(taken.settings, slot));
    return { ...taken, warnings: [...about, ...stays, ...taken.warnings] };
  }

  /**
   * Replaces the sections that the document names; null removes one, others stay. With `replaceUnreadable`, what cannot
   * be read goes.
   *
   * @throws SettingsRefusedError, SettingsUnreadableError
   */
  async setSections(
    instance: string,
    sections: object,
    { author = 'operator', replaceUnreadable = false }: { author?: Author; replaceUnreadable?: boolean } = {},
  ): Promise<Taken> {
    const vain = namesNoSection(this.sections, sections);
    if (vain.length > 0) throw new SettingsRefusedError(vain);
    const fromFile = this.parts.file.get(instance);
    const given = this.sectionsOf(sections);
    let isReplaced = false;
    const about = warningsOfAll(this.sections, given);
    const documentOf = (stored: StoredSettings): object => {
      isReplaced = replaceUnreadable && stored.kind === 'unreadable';
      const before = isReplaced ? undefined : settingsOrThrow(stored);
      const inForce = this.sections.merge(fromFile, before);
      return { ...before, ...unmask(this.sections, this.withOff(given, inForce), inForce) };
    };
    const taken = await this.change({ instance, author, documentOf });
    const named = [...(isReplaced ? [REPLACED] : []), ...otherName(instance, sections)];
    return { ...taken, warnings: [...named, ...about, ...taken.warnings] };
  }

  /** Whatever was stored, readable or not. @throws SettingsRefusedError */
  replace(instance: string, document: unknown): Promise<Taken> {
    return this.change({ instance, author: 'operator', documentOf: () => document });
  }

  /** @throws SettingsRefusedError, SettingsTakenError */
  async create(instance: string, document: object): Promise<Taken> {
    const given = this.sectionsOf(document);
    const documentOf = (stored: StoredSettings): object => {
      if (stored.kind !== 'absent') throw new SettingsTakenError(instance);
      return this.withOff(given, undefined);
    };
    const taken = await this.change({ instance, author: 'operator', documentOf });
    return { ...taken, warnings: [...warningsOfAll(this.sections, given), ...taken.warnings] };
  }

  /** @throws SettingsMissingError, SettingsUnreadableError, SettingsRefusedError where the file says so */
  async clear(instance: string, slot: Slot): Promise<void> {
    const what = `${pathOf(slot)} of ${instance}`;
    const inFile = readSlot(this.parts.file.get(instance), slot) !== undefined;
    await this.parts.store.update(instance, (stored) => {
      const before = settingsOrThrow(stored);
      if (before !== undefined && readSlot(before, slot) !== undefined) return withoutSlot(before, slot);
      throw inFile ? onlyInFile(what) : new SettingsMissingError(what);
    });
  }

  /** Forgets everything, readable or not. @throws SettingsMissingError, SettingsRefusedError where the file says so */
  async remove(instance: string): Promise<void> {
    const inFile = this.parts.file.has(instance);
    await this.parts.store.update(instance, ({ kind }) => {
      if (kind === 'absent') throw inFile ? onlyInFile(instance) : new SettingsMissingError(instance);
      return undefined;
    });
  }

  private async change({ instance, author, documentOf, only }: Change): Promise<Taken> {
    this.rules.checkName(instance);
    let warnings: readonly string[] = [];
    const settings = await this.parts.store.update(instance, (stored) => {
      const taken = this.rules.check(instance, documentOf(stored), only);
      this.rules.checkEvents(taken.settings, stored, author);
      warnings = taken.warnings;
      return taken.settings;
    });
    return { settings, warnings };
  }

  /** Sections that are switched off keep what is in force for them, as when they are set one by one. */
  private withOff(document: object, inForce: Settings | undefined): object {
    return this.sections.map(document, (item, slot) => {
      const given = slot.section.withPresentNames(item);
      const isOff = isFields(given) && switchesOff(slot.section.definition, given);
      return isOff ? amend(slot.section, readSlot(inForce, slot), item) : item;
    });
  }

  /** Sections as a client gives them: null is nothing, and times are not its to say. */
  private sectionsOf(document: object): object {
    const present = Object.fromEntries(
      Object.entries(document).map(([name, item]) => [name, item ?? undefined]),
    );
    return this.sections.map(present, (item) => withoutTimes(item));
  }
}

/** A document that was written for another instance. */
function otherName(instance: string, document: object): string[] {
  const name = instanceNameOf(document);
  return name === undefined || name === instance
    ? []
    : [`instanceName: is ${JSON.stringify(name)}, and this was set for ${JSON.stringify(instance)}`];
}

/** Whoever sets an address may expect to be sent something. */
function staysOff(slot: Slot, given: unknown, now: unknown): string[] {
  const fields = slot.section.withPresentNames(given);
  if (!isFields(fields) || !isFields(now) || now['enabled'] !== false) return [];
  if (fields['enabled'] !== undefined || switchesOff(slot.section.definition, fields)) return [];
  return [`${pathOf(slot)}.enabled: is false, so ${pathOf(slot)} stays switched off: set it to true as well`];
}

/** What a tenant may not list is no reason to leave something on: the list stays as it was. */
function withoutUnknownOfOff(section: Section, given: unknown): unknown {
  const fields = section.withPresentNames(given);
  if (!isFields(fields) || !switchesOff(section.definition, fields)) return given;
  const { events } = fields;
  const lists = Array.isArray(events) ? events : [];
  return lists.every((event) => typeof event === 'string' && isKnown(event))
    ? given
    : { ...fields, events: [] };
}

function onlyInFile(what: string): SettingsRefusedError {
  return new SettingsRefusedError([
    `${what}: is set in SETTINGS_FILE; remove it there, or set enabled to false`,
  ]);
}
