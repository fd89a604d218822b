import { statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileProblem } from '../config/layers';
import { isThere, readTextFile } from '../config/text-file';
import { CORE_VARIABLES } from '../config/variables';
import { ConfigError } from '../errors';
import { boundedLines } from './bounds';
import { instanceNameOf, type Parsed, parseSettings } from './document';
import { blanksInName, instanceNameProblem } from './instance-names';
import { MAX_SETTINGS_BYTES, MAX_SETTINGS_FILE_BYTES } from './limits';
import type { Settings } from './section';
import type { Sections } from './sections';
import { SettingsInvalidError, SettingsUnreadableError } from './settings-errors';
import { sizeOf, tooLarge } from './stored';
import { stamped } from './timestamps';

/** What SETTINGS_FILE says. */
export interface SettingsFile {
  readonly settings: ReadonlyMap<string, Settings>;
  /** Entries that are left out, until a start that finds them mended. */
  readonly faults: readonly FileFault[];
  readonly warnings: readonly string[];
}

/** An entry of the file that is none. */
export interface FileFault {
  /** The file and the place of the entry in it, counted from 0. */
  readonly entry: string;
  /** Its instance is '' where the entry has no name that can be one. */
  readonly error: SettingsUnreadableError;
}

/**
 * Reads SETTINGS_FILE: one "Complete Instance Configuration" object of the core API's documentation, or a list of
 * them. Only the default one may be absent: then there are no instances. An entry that is wrong is left out alone.
 *
 * @throws ConfigError where the file cannot be read, or is neither an object nor a list
 */
export function readSettingsFile(sections: Sections, directory: string, file: string): SettingsFile {
  const path = isAbsolute(file) ? file : join(directory, file);
  const settings = new Map<string, Settings>();
  const faults: FileFault[] = [];
  const warnings: string[] = [];
  if (!isThere(path)) {
    if (file === CORE_VARIABLES.SETTINGS_FILE.default) return { settings, faults, warnings };
    throw new ConfigError([`SETTINGS_FILE: ${file} is not there`]);
  }
  let changedAt: Date;
  let content: unknown;
  try {
    changedAt = statSync(path).mtime;
    content = JSON.parse(readTextFile(path, MAX_SETTINGS_FILE_BYTES).toString('utf8'));
  } catch (error) {
    throw new ConfigError([`SETTINGS_FILE: ${file} cannot be read: ${fileProblem(error)}`]);
  }
  if (typeof content !== 'object' || content === null)
    throw new ConfigError([`SETTINGS_FILE: ${file} must hold an object for one instance, or a list of them`]);
  const entries: readonly unknown[] = Array.isArray(content) ? content : [content];
  for (const [index, entry] of entries.entries()) {
    const name = instanceNameOf(entry) ?? '';
    const parsed = parseSettings(sections, entry);
    const problems = problemsOf(name, parsed);
    if (!parsed.ok || problems.length > 0) {
      faults.push(faultOf(`${file}[${index}]`, name, problems));
      continue;
    }
    settings.set(name, stamped(sections, undefined, parsed.settings, changedAt));
    const blanks = blanksInName(name);
    const all = [...(blanks === undefined ? [] : [blanks]), ...parsed.warnings];
    warnings.push(...all.map((warning) => `SETTINGS_FILE: ${file}[${index}].${warning}`));
  }
  // Where several are for one instance, it is not known which one is meant.
  for (const { error } of faults) settings.delete(error.instance);
  return { settings, faults, warnings };
}

function faultOf(entry: string, name: string, problems: readonly string[]): FileFault {
  const instance = instanceNameProblem(name) === undefined ? name : '';
  const reason = `SETTINGS_FILE: ${entry} is wrong: ${boundedLines(problems).join('; ')}`;
  return { entry, error: new SettingsUnreadableError(instance, new SettingsInvalidError(reason)) };
}

function problemsOf(name: string, parsed: Parsed): string[] {
  const wrongName = instanceNameProblem(name);
  const bytes = parsed.ok ? sizeOf(parsed.settings) : 0;
  return [
    ...(wrongName === undefined ? [] : [`instanceName ${wrongName}`]),
    ...(bytes > MAX_SETTINGS_BYTES ? [tooLarge(bytes)] : []),
    ...(parsed.ok ? [] : parsed.problems),
  ];
}
