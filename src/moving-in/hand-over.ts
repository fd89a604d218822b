import { setTimeout as delay } from 'node:timers/promises';
import type { Fields, Section, Settings } from '../settings/section';
import type { SettingsRules } from '../settings/settings-rules';
import { type SettingsStore, type StoredSettings, settingsOrThrow } from '../settings/settings-store';
import { forEachApart } from '../time/for-each-apart';
import type { Core, CoreInstance, CoreSections } from './core';
import { CoreApiError } from './core-api-error';
import { isAboutAll, linesOf, nothingOfMissing } from './importer';
import type { Delivered, HandedOver, MovingNotes } from './moving-notes';
import { QUIET, silenced } from './quiet';

export interface HandOverParts {
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
  /** How long workers may take to follow a change of settings. */
  readonly followMs: number;
  /** Called after each instance. */
  readonly onProgress: (done: number, of: number) => void;
}

export interface HandOverResult {
  /** `loja: webhook, pusher`. */
  readonly moved: readonly string[];
  readonly problems: readonly string[];
  /** Names of instances that the core and the relay both deliver now: their move has begun, and has not ended. */
  readonly both: readonly string[];
  /** The core does not serve any more, or Redis does not; run again, it goes on. */
  readonly fault?: unknown;
}

interface Moving {
  readonly instance: CoreInstance;
  readonly found: CoreSections;
  readonly names: readonly string[];
}

/** Between the two changes of an instance both sides deliver: as few instances at once as are done in a moment. */
const BATCH = 50;
const AT_ONCE = 10;

/**
 * Moves deliveries from a core to the relay, and back. The one that is to deliver begins before the other one ends: in
 * between an event may arrive twice, and none is lost.
 */
export class HandOver {
  private readonly moved: string[] = [];
  private readonly problems: string[] = [];
  private readonly both = new Set<string>();

  constructor(private readonly parts: HandOverParts) {}

  over(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    return this.move(instances, {
      begin: (instance) => this.beginHere(instance),
      end: (moving) => this.endThere(moving),
    });
  }

  /** What `over` would move; nothing is changed. */
  async preview(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    const { moved, problems } = this;
    try {
      let done = 0;
      await this.each(instances, async (instance) => {
        const opening = await this.openingOf(instance);
        if (opening !== undefined) {
          const stored = await this.parts.store.lookUp(instance.name);
          this.changed(instance, stored, { open: opening.open, fieldsOf: asFound });
          moved.push(`${instance.name}: ${namesOf(opening.open)}`);
        }
        this.parts.onProgress(++done, instances.length);
      });
      return { moved, problems, both: [] };
    } catch (fault) {
      return { moved, problems, both: [], fault };
    }
  }

  /** Of instances from which something was handed over. */
  back(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    return this.move(instances, {
      begin: (instance) => this.beginThere(instance),
      end: (moving) => this.endHere(moving),
    });
  }

  private async move(instances: readonly CoreInstance[], steps: Steps): Promise<HandOverResult> {
    const { moved, problems } = this;
    try {
      await this.inBatches(instances, steps);
      return { moved, problems, both: [...this.both] };
    } catch (fault) {
      return { moved, problems, both: [...this.both], fault };
    }
  }

  private async inBatches(instances: readonly CoreInstance[], steps: Steps): Promise<void> {
    for (let start = 0; start < instances.length; start += BATCH) {
      const batch = instances.slice(start, start + BATCH);
      const moving: Moving[] = [];
      await this.each(batch, async (instance) => {
        const one = await steps.begin(instance);
        if (one !== undefined) moving.push(one);
      });
      if (moving.length > 0) await delay(this.parts.followMs);
      const named = moving.map((one) => ({ ...one.instance, one }));
      await this.each(named, async ({ one }) => {
        await steps.end(one);
        this.both.delete(one.instance.name);
        this.moved.push(`${one.instance.name}: ${one.names.join(', ')}`);
      });
      this.parts.onProgress(Math.min(start + BATCH, instances.length), instances.length);
    }
  }

  private async each<T extends CoreInstance>(
    items: readonly T[],
    work: (item: T) => Promise<void>,
  ): Promise<void> {
    let fault: unknown;
    await forEachApart({
      items,
      atOnce: AT_ONCE,
      work: async (item) => {
        if (fault === undefined) await work(item);
      },
      onFault: (error, { name }) => {
        if (isAboutAll(error)) fault ??= error;
        else this.problems.push(...linesOf(name, error));
      },
    });
    if (fault !== undefined) throw fault;
  }

  /** The relay begins; undefined where there is nothing to hand over. */
  private async beginHere(instance: CoreInstance): Promise<Moving | undefined> {
    const opening = await this.openingOf(instance);
    if (opening === undefined) return undefined;
    const { found, handed, open } = opening;
    const added = open.map(([section, fields]) => [section.name, deliveredOf(fields)] as const);
    // First, so that whatever is cut from here on can be handed back.
    await this.parts.notes.set(instance.name, { ...handed, ...Object.fromEntries(added) });
    try {
      await this.setHere(instance, { open, fieldsOf: asFound });
    } catch (error) {
      await this.restoreNote(instance, handed);
      throw error;
    }
    this.both.add(instance.name);
    return { instance, found, names: open.map(([{ name }]) => name) };
  }

  /** Undefined where there is nothing to hand over. @throws CoreApiError where it cannot be */
  private async openingOf(instance: CoreInstance): Promise<Opening | undefined> {
    const found = await this.parts.core.read(instance).catch(nothingOfMissing);
    if (found === undefined) return undefined;
    const handed = await this.handedOf(instance);
    const open = this.openSections(found, handed).filter(([section]) => this.isDelivered(instance, section));
    if (open.length === 0) return undefined;
    const obstacle = this.parts.withoutSource(found);
    if (obstacle !== undefined) throw new CoreApiError('CORE_REFUSED', obstacle);
    return { found, handed, open };
  }

  /** Where it is not, nobody would deliver any more. */
  private isDelivered({ name }: CoreInstance, section: Section): boolean {
    const obstacle = this.parts.obstacleOf(section);
    if (obstacle !== undefined) this.problems.push(`${JSON.stringify(name)}: ${section.name}: ${obstacle}`);
    return obstacle === undefined;
  }

  private async restoreNote({ name }: CoreInstance, handed: HandedOver): Promise<void> {
    if (Object.keys(handed).length === 0) await this.parts.notes.forget(name);
    else await this.parts.notes.set(name, handed);
  }

  /** The core ends. */
  private async endThere({ instance, found, names }: Moving): Promise<void> {
    for (const [section, of] of found)
      if (names.includes(section.name) && of.kind === 'row')
        await this.parts.core.set(instance, section, silenced(of.fields));
  }

  /** The core begins with what it had. */
  private async beginThere(instance: CoreInstance): Promise<Moving | undefined> {
    const handed = await this.handedOf(instance);
    const names = Object.keys(handed);
    if (names.length === 0) return undefined;
    const found = await this.parts.core.read(instance).catch(nothingOfMissing);
    if (found === undefined) {
      await this.parts.notes.forget(instance.name);
      return undefined;
    }
    for (const [section, of] of found) {
      const before = handed[section.name];
      if (before === undefined || of.kind !== 'row') continue;
      this.both.add(instance.name);
      await this.parts.core.set(instance, section, { ...of.fields, ...before });
    }
    return { instance, found, names };
  }

  /** The relay ends: what it has parked is delivered still, so its destinations stay. */
  private async endHere({ instance, found, names }: Moving): Promise<void> {
    const open = this.parts.sections.flatMap((section) => {
      const of = found.get(section);
      return names.includes(section.name) && of?.kind === 'row' ? [[section, of.fields] as const] : [];
    });
    const fieldsOf = (before: object | undefined): Fields | undefined =>
      before === undefined ? undefined : { events: QUIET };
    await this.setHere(instance, { open, fieldsOf });
    await this.parts.notes.forget(instance.name);
  }

  /** Sections that the core delivers. */
  private openSections(found: CoreSections, handed: HandedOver): Open {
    return this.parts.sections.flatMap((section) => {
      const of = found.get(section);
      if (of?.kind !== 'row' || of.fields['enabled'] !== true) return [];
      const isDone = handed[section.name] !== undefined && isSilenced(of.fields);
      return isDone ? [] : [[section, of.fields] as const];
    });
  }

  private async setHere(instance: CoreInstance, change: Change): Promise<void> {
    await this.parts.store.update(instance.name, (stored) => this.changed(instance, stored, change));
  }

  /** @throws SettingsRefusedError, SettingsUnreadableError */
  private changed({ name }: CoreInstance, stored: StoredSettings, { open, fieldsOf }: Change): Settings {
    const before = settingsOrThrow(stored);
    const changed = open.flatMap(([section, found]) => {
      const was = section.of(before);
      const fields = fieldsOf(was, found);
      return fields === undefined ? [] : [[section.name, { ...was, ...fields }] as const];
    });
    return this.parts.rules.check(name, { ...before, ...Object.fromEntries(changed) }).settings;
  }

  private async handedOf({ name }: CoreInstance): Promise<HandedOver> {
    const note = await this.parts.notes.of(name);
    if (note.kind !== 'unreadable') return note.kind === 'readable' ? note.sections : {};
    throw new CoreApiError(
      'CORE_REFUSED',
      'what was handed over is noted by a later version of the relay: use that version',
    );
  }
}

/** Sections with what the core has of them. */
type Open = readonly (readonly [Section, Fields])[];

interface Opening {
  readonly found: CoreSections;
  readonly handed: HandedOver;
  readonly open: Open;
}

interface Change {
  readonly open: Open;
  /** Undefined: the section stays as it is. */
  readonly fieldsOf: (before: object | undefined, found: Fields) => Fields | undefined;
}

function asFound(_before: object | undefined, found: Fields): Fields {
  return found;
}

function namesOf(open: Open): string {
  return open.map(([{ name }]) => name).join(', ');
}

interface Steps {
  readonly begin: (instance: CoreInstance) => Promise<Moving | undefined>;
  readonly end: (moving: Moving) => Promise<void>;
}

function deliveredOf({ enabled, events }: Fields): Delivered {
  const names = Array.isArray(events) ? events.filter((event) => typeof event === 'string') : [];
  return { enabled: enabled === true, events: names };
}

function isSilenced(fields: Fields): boolean {
  const { enabled, events } = silenced(fields);
  return fields['enabled'] === enabled && JSON.stringify(fields['events']) === JSON.stringify(events);
}
