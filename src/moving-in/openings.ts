import type { Fields, Section, Settings } from '../settings/section';
import type { SettingsRules } from '../settings/settings-rules';
import { type SettingsStore, type StoredSettings, settingsOrThrow } from '../settings/settings-store';
import type { Core, CoreInstance, CoreSections } from './core';
import { CoreApiError } from './core-api-error';
import { nothingOfMissing } from './importer';
import type { HandedOver, MovingNotes } from './moving-notes';
import { silenced } from './quiet';

export interface OpeningsParts {
  readonly core: Core;
  readonly store: SettingsStore;
  readonly rules: SettingsRules;
  readonly notes: MovingNotes;
  /** What is handed over and back. */
  readonly sections: readonly Section[];
  /** Why events of an instance would reach nobody once the core delivers none; undefined where a source brings them. */
  withoutSource(found: CoreSections): string | undefined;
  /** Why the relay would deliver nothing by a section that is set; undefined where it would. */
  obstacleOf(section: Section): string | undefined;
  /** Events that settings wait for and that no source brings; each line begins with the section. */
  setInVain(settings: Settings): readonly string[];
}

/** Sections with what the core has of them. */
export type Open = readonly (readonly [Section, Fields])[];

/** What there is to hand over of an instance. */
export interface Opening {
  readonly found: CoreSections;
  readonly handed: HandedOver;
  readonly open: Open;
}

export interface Change {
  readonly open: Open;
  /** Undefined: the section stays as it is. */
  readonly fieldsOf: (before: object | undefined, found: Fields) => Fields | undefined;
}

/** Finds out what can be handed over, and what nobody would deliver any more once it was. */
export class Openings {
  /** Each begins with the instance. */
  readonly problems: string[] = [];
  readonly warnings: string[] = [];

  constructor(private readonly parts: OpeningsParts) {}

  /**
   * Undefined where there is nothing to hand over.
   *
   * @throws CoreApiError, SettingsRefusedError, SettingsUnreadableError where it cannot be
   */
  async of(instance: CoreInstance): Promise<Opening | undefined> {
    const { core, store, withoutSource, setInVain } = this.parts;
    const found = await core.read(instance).catch(nothingOfMissing);
    if (found === undefined) return undefined;
    const handed = await this.handedOf(instance);
    const open = this.sectionsOf(found, handed).filter(([section]) => this.isDelivered(instance, section));
    if (open.length === 0) return undefined;
    const obstacle = withoutSource(found);
    if (obstacle !== undefined) throw new CoreApiError('CORE_REFUSED', obstacle);
    const after = this.changed(instance, await store.lookUp(instance.name), { open, fieldsOf: asFound });
    const lines = setInVain(after).filter((line) => open.some(([{ name }]) => line.startsWith(`${name}.`)));
    this.warnings.push(...lines.map((line) => `${JSON.stringify(instance.name)}: ${line}`));
    return { found, handed, open };
  }

  /** Settings of an instance with a change. @throws SettingsRefusedError, SettingsUnreadableError */
  changed({ name }: CoreInstance, stored: StoredSettings, { open, fieldsOf }: Change): Settings {
    const before = settingsOrThrow(stored);
    const changed = open.flatMap(([section, found]) => {
      const was = section.of(before);
      const fields = fieldsOf(was, found);
      return fields === undefined ? [] : [[section.name, { ...was, ...fields }] as const];
    });
    return this.parts.rules.check(name, { ...before, ...Object.fromEntries(changed) }).settings;
  }

  async handedOf({ name }: CoreInstance): Promise<HandedOver> {
    const note = await this.parts.notes.of(name);
    if (note.kind !== 'unreadable') return note.kind === 'readable' ? note.sections : {};
    throw new CoreApiError(
      'CORE_REFUSED',
      'what was handed over is noted by a later version of the relay: use that version',
    );
  }

  /** Sections that the core delivers. */
  private sectionsOf(found: CoreSections, handed: HandedOver): Open {
    return this.parts.sections.flatMap((section) => {
      const of = found.get(section);
      if (of?.kind !== 'row' || of.fields['enabled'] !== true) return [];
      const isDone = handed[section.name] !== undefined && isSilenced(of.fields);
      return isDone ? [] : [[section, of.fields] as const];
    });
  }

  /** Where it is not, nobody would deliver any more. */
  private isDelivered({ name }: CoreInstance, section: Section): boolean {
    const obstacle = this.parts.obstacleOf(section);
    if (obstacle !== undefined) this.problems.push(`${JSON.stringify(name)}: ${section.name}: ${obstacle}`);
    return obstacle === undefined;
  }
}

export function asFound(_before: object | undefined, found: Fields): Fields {
  return found;
}

export function namesOf(open: Open): string[] {
  return open.map(([{ name }]) => name);
}

function isSilenced(fields: Fields): boolean {
  const { enabled, events } = silenced(fields);
  return fields['enabled'] === enabled && JSON.stringify(fields['events']) === JSON.stringify(events);
}
