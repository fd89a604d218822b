import type { Config } from '../config/config';
import { ConfigError } from '../errors';
import { MODULES } from '../modules';
import { createLogger, type Logger } from '../observability/logging';
import { Metrics } from '../observability/metrics';
import { type FileFault, readSettingsFile } from '../settings/settings-file';
import { fieldsOf, type Place } from '../supervisor/place';
import { logNodeWarnings } from './node-warnings';

export type PartName = 'worker' | 'gateway';

export interface Prepared {
  readonly config: Config;
  readonly file: ReturnType<typeof readSettingsFile>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Entries that are named one by one. */
const MAX_FAULTS = 20;

/**
 * Reads and checks what parts go by, and says what is worth knowing about it.
 *
 * @param supervised the place of a process whose supervisor has said all that already
 * @throws ConfigError
 */
export function prepare(names: readonly PartName[], supervised?: Place): Prepared {
  const directory = process.cwd();
  const { config, unheeded, warnings, notes } = MODULES.loadConfig(directory, process.env);
  // A gateway beside it has something to do: the core API's own example of a .env, where all sources are off, starts.
  const idle = names.includes('gateway') && names.includes('worker') ? withoutSource(config) : [];
  const problems = names.flatMap((name) => missingFor(name, config)).filter((line) => !idle.includes(line));
  if (problems.length > 0) throw new ConfigError([...problems, ...unheeded]);
  const file = readSettingsFile(MODULES.sections, directory, config.settings.file);
  const metrics = new Metrics();
  const log = createLogger(config.log, {
    onDropped: () => metrics.logLinesDropped.add(),
    ...(supervised === undefined ? {} : { fields: fieldsOf(supervised) }),
  });
  logNodeWarnings(log);
  if (supervised === undefined) {
    for (const warning of [...warnings, ...idle, ...file.warnings]) log.warn(warning);
    logFaults(file.faults, log);
    for (const note of notes) log.info(note);
    if (names.includes('worker')) warnOfNothingGlobal(config, log);
  }
  return { config, file, metrics, log };
}

/** Instances whose entries are left out; the doctor names all of them. */
function logFaults(faults: readonly FileFault[], log: Logger): void {
  for (const { error } of faults.slice(0, MAX_FAULTS))
    log.error('settings of an instance cannot be read: its events wait', {
      code: error.code,
      error: error.reason,
      ...(error.instance === '' ? {} : { instance: error.instance }),
    });
  const left = faults.length - MAX_FAULTS;
  if (left > 0)
    log.error('settings of further instances cannot be read: `doctor` names them', { count: left });
}

/** What a part cannot do without. */
function missingFor(name: PartName, config: Config): string[] {
  if (name === 'gateway') {
    return config.gateway.apiKey === ''
      ? ['AUTHENTICATION_API_KEY: must be set, such as the output of: openssl rand -hex 24']
      : [];
  }
  return withoutSource(config);
}

function withoutSource(config: Config): string[] {
  if (MODULES.sources.some((source) => source.isEnabled(config))) return [];
  const ways = MODULES.sources.map(({ switchedOnBy }) => switchedOnBy).join(', or ');
  return [`${ways}: there is no source to consume from`];
}

function warnOfNothingGlobal(config: Config, log: Logger): void {
  const warning = MODULES.withoutGlobal(config);
  if (warning !== undefined) log.warn(warning);
}
