import { errorText } from '../errors';
import {
  SettingsConflictError,
  SettingsRefusedError,
  SettingsUnreadableError,
} from '../settings/settings-errors';
import type { SettingsStore, StoredSettings } from '../settings/settings-store';
import { forEachApart } from '../time/for-each-apart';
import type { Core, CoreInstance } from './core';
import { CoreApiError } from './core-api-error';
import { type InstancePlan, type PlanRules, planInstance } from './instance-plan';
import type { HandedOver, MovingNotes } from './moving-notes';

export interface ImporterParts {
  readonly core: Core;
  readonly store: SettingsStore;
  readonly notes: MovingNotes;
  readonly rules: PlanRules;
  /** Called after each instance. */
  readonly onProgress: (done: number, of: number) => void;
}

export interface ImportMode {
  readonly apply: boolean;
  /** Goes on where a run that was cut has stopped. */
  readonly resumes: boolean;
}

export interface ImportResult {
  readonly plans: ReadonlyMap<string, InstancePlan>;
  /** Instances that a run which was cut had done already. */
  readonly skipped: number;
  /** Each begins with the instance. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Instances that are read at once: the core makes a query of each request. */
const AT_ONCE = 10;

/** Reads what instances have at a core, and stores it where `apply` says so. */
export class Importer {
  constructor(private readonly parts: ImporterParts) {}

  /** @throws CoreApiError where the core does not serve any more: what is done by then is not done again */
  async run(instances: readonly CoreInstance[], { apply, resumes }: ImportMode): Promise<ImportResult> {
    const { notes, onProgress } = this.parts;
    const isNoted = apply && resumes;
    const done = isNoted ? await notes.imported() : new Set<string>();
    const left = instances.filter(({ name }) => !done.has(name));
    const plans = new Map<string, InstancePlan>();
    const problems: string[] = [];
    let fault: unknown;
    let count = instances.length - left.length;
    const untilFault = function* (): Generator<CoreInstance> {
      for (const instance of left) {
        if (fault !== undefined) return;
        yield instance;
      }
    };
    await forEachApart({
      items: untilFault(),
      atOnce: AT_ONCE,
      work: async (instance) => {
        const plan = await this.one(instance, apply);
        if (plan !== undefined) plans.set(instance.name, plan);
        if (isNoted) await notes.noteImported(instance.name);
        onProgress(++count, instances.length);
      },
      onFault: (error, { name }) => {
        if (isAboutAll(error)) fault ??= error;
        else problems.push(...linesOf(name, error));
      },
    });
    if (fault !== undefined) throw fault;
    if (isNoted) await notes.forgetImported();
    const warnings = [...plans].flatMap(([name, plan]) =>
      plan.warnings.map((line) => `${JSON.stringify(name)}: ${line}`),
    );
    return { plans, skipped: instances.length - left.length, problems, warnings };
  }

  /** Undefined where nothing changes, or the instance is gone. */
  private async one(instance: CoreInstance, apply: boolean): Promise<InstancePlan | undefined> {
    const { core, store, notes, rules } = this.parts;
    const found = await core.read(instance).catch(nothingOfMissing);
    if (found === undefined) return undefined;
    const handed = handedOf(await notes.of(instance.name));
    const planWith = (stored: StoredSettings): InstancePlan =>
      planInstance(rules, { instance, found, stored, handed });
    const plan = planWith(await store.lookUp(instance.name));
    if (plan.changes.length === 0) return undefined;
    if (apply) await store.update(instance.name, (stored) => planWith(stored).settings);
    return plan;
  }
}

function handedOf(note: Awaited<ReturnType<MovingNotes['of']>>): HandedOver {
  return note.kind === 'readable' ? note.sections : {};
}

/** An instance that was deleted after it was listed. */
export function nothingOfMissing(error: unknown): undefined {
  if (error instanceof CoreApiError && error.code === 'CORE_MISSING') return undefined;
  throw error;
}

/** Whether it is no use to go on with the next instance. */
export function isAboutAll(error: unknown): boolean {
  if (error instanceof CoreApiError) return error.isAboutAll;
  return !OF_ONE.some((kind) => error instanceof kind);
}

const OF_ONE = [SettingsRefusedError, SettingsUnreadableError, SettingsConflictError];

export function linesOf(name: string, error: unknown): string[] {
  const lines = error instanceof SettingsRefusedError ? error.problems : [errorText(error)];
  return lines.map((line) => `${JSON.stringify(name)}: ${line}`);
}
