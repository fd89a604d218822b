import type { Config } from '../config/config';
import type { Finding } from '../observability/finding';
import { counted } from '../plural';
import { boundedLines } from './bounds';
import { CLEAR_SECRETS, holdsClearSecrets } from './clear-settings';
import type { Filled, Section, Settings } from './section';
import type { FileFault } from './settings-file';
import type { SettingsStore } from './settings-store';

export interface InspectedSettings {
  readonly findings: readonly Finding[];
  /** Those in force, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

const PART = 'settings';
const MAX_NAMED = 20;

/** Whether all settings can be read, with the keys that are given, and whether they are encrypted. */
export async function inspectSettings(
  config: Config,
  store: SettingsStore,
  file: ReadonlyMap<string, Settings>,
  faults: readonly FileFault[] = [],
): Promise<InspectedSettings> {
  const settings = new Map(file);
  const unreadable: Finding[] = [];
  let outdated = 0;
  const inDoubt = new Set(faults.map(({ error }) => error.instance));
  for await (const [instance, stored] of store.list()) {
    if (stored.kind === 'unreadable') {
      settings.delete(instance);
      unreadable.push({ part: PART, check: instance, state: 'trouble', detail: stored.error.reason });
    } else if (stored.kind === 'readable') {
      if (!stored.isUpToDate) outdated++;
      if (inDoubt.has(instance)) continue;
      settings.set(instance, store.sections.merge(file.get(instance), stored.settings) ?? stored.settings);
    }
  }
  const readable = `${counted(settings.size, 'instance')}, ${file.size} of them in SETTINGS_FILE`;
  return {
    findings: [
      { part: PART, check: 'readable', state: 'ok', detail: readable },
      ...firstOf(faultFindings(faults), 'see SETTINGS_FILE'),
      ...firstOf(unreadable, '`settings ls` names them'),
      ...store.sections.list.flatMap((section) => sectionFindings(config, section, settings)),
      ...(await encryptionFindings(config, store, outdated)),
    ],
    settings,
  };
}

/** Entries of the file that are left out. */
export function faultFindings(faults: readonly FileFault[]): Finding[] {
  return faults.map(({ entry, error }) => ({
    part: PART,
    check: error.instance || entry,
    state: 'trouble',
    detail: error.reason,
  }));
}

function firstOf(findings: readonly Finding[], where: string): Finding[] {
  const left = findings.length - MAX_NAMED;
  const more: Finding = {
    part: PART,
    check: 'readable',
    state: 'trouble',
    detail: `${left} more cannot be read: ${where}`,
  };
  return left > 0 ? [...findings.slice(0, MAX_NAMED), more] : [...findings];
}

/** Of older settings and of the file: what is set now is checked before. */
function sectionFindings(
  config: Config,
  section: Section,
  settings: ReadonlyMap<string, Settings>,
): Finding[] {
  const { inspection } = section.definition;
  if (inspection === undefined) return [];
  const problemsOf = (instance: string, { value }: Filled): string[] => {
    const problem = inspection.problemOf(config, instance, value);
    return problem === undefined ? [] : [`${JSON.stringify(instance)}: ${problem}`];
  };
  const problems = [...settings].flatMap(([instance, each]) =>
    section.all(each).flatMap((filled) => problemsOf(instance, filled)),
  );
  return boundedLines(problems).map((detail) => ({
    part: PART,
    check: inspection.check,
    state: 'trouble',
    detail,
  }));
}

async function encryptionFindings(
  config: Config,
  store: SettingsStore,
  outdated: number,
): Promise<Finding[]> {
  const check = 'encryption';
  if (await holdsClearSecrets(config, store))
    return [{ part: PART, check, state: 'note', detail: CLEAR_SECRETS }];
  if (outdated === 0) return [];
  const detail = `${counted(outdated, 'instance is', 'instances are')} stored in clear or with an older key: run \`evolution-relay settings encrypt\``;
  return [{ part: PART, check, state: 'note', detail }];
}
