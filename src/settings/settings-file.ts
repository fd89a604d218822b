import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileProblem } from '../config/layers';
import { readTextFile } from '../config/text-file';
import { CORE_VARIABLES } from '../config/variables';
import { ConfigError } from '../errors';
import { instanceNameOf, type Parsed, parseSettings } from './document';
import { instanceNameProblem } from './instance-names';
import { MAX_SETTINGS_BYTES } from './limits';
import type { Settings } from './section';
import type { Sections } from './sections';
import { sizeOf, tooLarge } from './stored';
import { stamped } from './timestamps';

/** What SETTINGS_FILE says. */
export interface SettingsFile {
  readonly settings: ReadonlyMap<string, Settings>;
  readonly warnings: readonly string[];
}

/**
 * Reads SETTINGS_FILE: one "Complete Instance Configuration" object of the core API's documentation, or a list of
 * them. Only the default one may be absent: then there are no instances.
 *
 * @throws ConfigError naming every entry that is wrong
 */
export function readSettingsFile(sections: Sections, directory: string, file: string): SettingsFile {
  const path = isAbsolute(file) ? file : join(directory, file);
  const settings = new Map<string, Settings>();
  const warnings: string[] = [];
  if (!existsSync(path)) {
    if (file === CORE_VARIABLES.SETTINGS_FILE.default) return { settings, warnings };
    throw new ConfigError([`SETTINGS_FILE: ${file} is not there`]);
  }
  const changedAt = statSync(path).mtime;
  let content: unknown;
  try {
    content = JSON.parse(readTextFile(path).toString('utf8'));
  } catch (error) {
    throw new ConfigError([`SETTINGS_FILE: ${file} cannot be read: ${fileProblem(error)}`]);
  }
  const problems: string[] = [];
  const entries = Array.isArray(content) ? content : [content];
  for (const [index, entry] of entries.entries()) {
    const where = `SETTINGS_FILE: ${file}[${index}]`;
    const name = instanceNameOf(entry) ?? '';
    const parsed = parseSettings(sections, entry);
    problems.push(...problemsOf(name, parsed).map((problem) => `${where}.${problem}`));
    if (!parsed.ok) continue;
    settings.set(name, stamped(sections, undefined, parsed.settings, changedAt));
    warnings.push(...parsed.warnings.map((warning) => `${where}.${warning}`));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { settings, warnings };
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
