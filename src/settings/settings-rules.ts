import type { Config } from '../config/config';
import { parseSettings, type UnknownEvent, unknownEventProblems, unknownEvents } from './document';
import { blanksInName, instanceNameProblem } from './instance-names';
import { MAX_EVENT_NAME_BYTES } from './limits';
import { pathsOfMasks } from './mask';
import { NOTHING_BEHIND_MASK } from './masked-url';
import { pathOf, type Settings, type Slot } from './section';
import type { InstanceCheck, Sections } from './sections';
import { SettingsRefusedError } from './settings-errors';
import type { StoredSettings } from './settings-store';
import { documentWith, readSlot } from './slot';

export interface SettingsRulesParts {
  readonly sections: Sections;
  /** Of SETTINGS_FILE. */
  readonly file: ReadonlyMap<string, Settings>;
  readonly config: Config;
  /** What is worth knowing of all that is set for an instance together; each line begins with a section. */
  readonly alsoKnow?: ((settings: Settings) => readonly string[]) | undefined;
}

/** Whose key a change was asked for with. A tenant has the token of its own instance, and may do less. */
export type Author = 'operator' | 'tenant';

/** What a person may want to know about settings that were taken. */
export interface Taken {
  readonly settings: Settings;
  readonly warnings: readonly string[];
}

/** What may be set for an instance, and what is worth a warning. */
export class SettingsRules {
  private readonly checkInstance: (instance: string, settings: Settings) => InstanceCheck;

  constructor(private readonly parts: SettingsRulesParts) {
    this.checkInstance = parts.sections.checks(parts.config);
  }

  /** @throws SettingsRefusedError */
  checkName(instance: string): void {
    const wrongName = instanceNameProblem(instance);
    if (wrongName !== undefined) throw new SettingsRefusedError([`instance: ${wrongName}`]);
  }

  /**
   * @param only what is asked about: others that are set may have become wrong since, which is not this change's business
   * @throws SettingsRefusedError
   */
  check(instance: string, document: unknown, only?: Slot): Taken {
    this.checkName(instance);
    const parsed = parseSettings(this.parts.sections, document);
    if (!parsed.ok) throw new SettingsRefusedError(parsed.problems);
    const { settings } = parsed;
    const checked = only === undefined ? settings : documentWith({}, only, readSlot(settings, only));
    const own = this.checkInstance(instance, checked as Settings);
    const problems = [...this.problemsOf(parsed.settings), ...own.problems];
    if (problems.length > 0) throw new SettingsRefusedError(problems);
    const blanks = blanksInName(instance);
    const warnings = [
      ...(blanks === undefined ? [] : [blanks]),
      ...parsed.warnings,
      ...own.warnings,
      ...this.knownOf(instance, settings, only),
    ];
    return { settings, warnings };
  }

  /**
   * A tenant names events of the catalogue only: brokers make something for good of each name. The operator may name
   * those of a later core API, and what it has named stays.
   *
   * @throws SettingsRefusedError
   */
  checkEvents(settings: Settings, stored: StoredSettings, author: Author): void {
    if (author === 'operator') return;
    const before = stored.kind === 'readable' ? unknownEvents(this.parts.sections, stored.settings) : [];
    const kept = new Set(before.map(({ path, event }) => `${path} ${event}`));
    const added = unknownEvents(this.parts.sections, settings).filter(
      ({ path, event }) => !kept.has(`${path} ${event}`),
    );
    if (added.length > 0) throw new SettingsRefusedError(unknownEventProblems(added));
  }

  private problemsOf(settings: Settings): string[] {
    const masks = pathsOfMasks(this.parts.sections, settings).map(
      (path) => `${path}: ${NOTHING_BEHIND_MASK}`,
    );
    return [...masks, ...eventNameProblems(unknownEvents(this.parts.sections, settings))];
  }

  private knownOf(instance: string, stored: Settings, only: Slot | undefined): string[] {
    const settings = this.parts.sections.merge(this.parts.file.get(instance), stored) ?? stored;
    const lines = this.parts.alsoKnow?.(settings) ?? [];
    return lines.filter((line) => only === undefined || line.startsWith(`${pathOf(only)}.`));
  }
}

/** Known events are short: only others need a look. */
function eventNameProblems(unknown: readonly UnknownEvent[]): string[] {
  return unknown
    .filter(
      ({ event }) => Buffer.byteLength(event) > MAX_EVENT_NAME_BYTES || /[\p{Cc}\p{Surrogate}]/u.test(event),
    )
    .map(
      ({ path }) =>
        `${path}: names of events must have no more than ${MAX_EVENT_NAME_BYTES} bytes, and no control characters`,
    );
}
