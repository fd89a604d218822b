import { setTimeout as delay } from 'node:timers/promises';
import type { Fields } from '../settings/section';
import { forEachApart } from '../time/for-each-apart';
import type { CoreInstance, CoreSections } from './core';
import { isAboutAll, linesOf, nothingOfMissing } from './importer';
import type { Delivered, HandedOver } from './moving-notes';
import { asFound, type Change, namesOf, Openings, type OpeningsParts } from './openings';
import { QUIET, silenced } from './quiet';

export interface HandOverParts extends OpeningsParts {
  /** How long workers may take to follow a change of settings. */
  readonly followMs: number;
  /** Called after each instance. */
  readonly onProgress: (done: number, of: number) => void;
}

export interface HandOverResult {
  /** `loja: webhook, pusher`. */
  readonly moved: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
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
  private readonly openings: Openings;

  constructor(private readonly parts: HandOverParts) {
    this.openings = new Openings(parts);
  }

  over(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    return this.move(instances, {
      begin: (instance) => this.beginHere(instance),
      end: (moving) => this.endThere(moving),
    });
  }

  /** What `over` would move; nothing is changed. */
  async preview(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    let done = 0;
    return this.resultOf(() =>
      this.each(instances, async (instance) => {
        const opening = await this.openings.of(instance);
        if (opening !== undefined) this.moved.push(lineOf(instance, namesOf(opening.open)));
        this.parts.onProgress(++done, instances.length);
      }),
    );
  }

  /** Of instances from which something was handed over. */
  back(instances: readonly CoreInstance[]): Promise<HandOverResult> {
    return this.move(instances, {
      begin: (instance) => this.beginThere(instance),
      end: (moving) => this.endHere(moving),
    });
  }

  private move(instances: readonly CoreInstance[], steps: Steps): Promise<HandOverResult> {
    return this.resultOf(() => this.inBatches(instances, steps));
  }

  private async resultOf(work: () => Promise<void>): Promise<HandOverResult> {
    const fault = await work().then(
      () => ({}),
      (error: unknown) => ({ fault: error }),
    );
    const { moved, both, openings } = this;
    const problems = [...this.problems, ...openings.problems];
    return { moved, problems, warnings: openings.warnings, both: [...both], ...fault };
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
        this.moved.push(lineOf(one.instance, one.names));
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
    const opening = await this.openings.of(instance);
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
    return { instance, found, names: namesOf(open) };
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
    const handed = await this.openings.handedOf(instance);
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

  private async setHere(instance: CoreInstance, change: Change): Promise<void> {
    await this.parts.store.update(instance.name, (stored) => this.openings.changed(instance, stored, change));
  }
}

interface Steps {
  readonly begin: (instance: CoreInstance) => Promise<Moving | undefined>;
  readonly end: (moving: Moving) => Promise<void>;
}

function lineOf({ name }: CoreInstance, sections: readonly string[]): string {
  return `${name}: ${sections.join(', ')}`;
}

function deliveredOf({ enabled, events }: Fields): Delivered {
  const names = Array.isArray(events) ? events.filter((event) => typeof event === 'string') : [];
  return { enabled: enabled === true, events: names };
}
