import type { Config } from '../config/config';
import { ConfigError } from '../errors';
import { MODULES } from '../modules';
import { plural } from '../plural';
import { readSettingsFile } from '../settings/settings-file';

const MAX_NAMED = 5;

/** Instances that SETTINGS_FILE has settings of. A file that is wrong is a matter of whoever reads it for more: here it names none. */
export function namesInFile({ settings: { file } }: Config): ReadonlySet<string> {
  try {
    return new Set(readSettingsFile(MODULES.sections, process.cwd(), file).settings.keys());
  } catch (error) {
    if (error instanceof ConfigError) return new Set();
    throw error;
  }
}

/** What a list of Redis leaves out; undefined where it leaves out nothing. */
export function leftOutLine(config: Config, listed: ReadonlySet<string>): string | undefined {
  const names = [...namesInFile(config)].filter((name) => !listed.has(name));
  if (names.length === 0) return undefined;
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  const shown = names.slice(0, MAX_NAMED).map((name) => JSON.stringify(name));
  return `${shown.join(', ')}${more} ${plural(names.length, 'is', 'are')} not listed: Redis holds nothing of ${plural(names.length, 'it', 'them')}, only ${config.settings.file} does`;
}
