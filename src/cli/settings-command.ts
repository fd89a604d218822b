import { Command } from 'commander';
import type { Config } from '../config/config';
import { MODULES } from '../modules';
import { counted } from '../plural';
import { boundedLines } from '../settings/bounds';
import { instanceNameOf } from '../settings/document';
import { MAX_SETTINGS_FILE_BYTES } from '../settings/limits';
import { masked } from '../settings/mask';
import { SettingsEditor } from '../settings/settings-editor';
import { SettingsMissingError, SettingsRefusedError } from '../settings/settings-errors';
import type { SettingsStore } from '../settings/settings-store';
import { withSettings } from '../settings/with-settings';
import { type CoreImportOptions, importFromCore } from './core-import';
import { FINDING, UsageError } from './exit';
import { leftOutLine, namesInFile } from './file-instances';
import { readInput, writeSecrets } from './files';
import { addFilterTest } from './filter-test-command';
import { complain, printJson, printLine, printTable } from './output';
import { encryptAll, exportSettings, importEach, listSettings, settingsHead } from './settings-lists';

export function settingsCommand(): Command {
  const command = new Command('settings').description('settings of single instances, stored in Redis');
  command.command('ls').description('list the instances and the sections that each has').action(list);
  command
    .command('get <instance>')
    .description('show the settings of one instance, secrets masked')
    .action(get);
  command
    .command('set <instance> [json]')
    .description(
      'set sections, such as \'{"webhook":{"url":"https://…"}}\'; null removes one, one that is given replaces the stored one, others stay. Settings that cannot be read are replaced',
    )
    .option('--file <file>', 'read the JSON from a file, - for standard input')
    .action(set);
  command
    .command('rm <instance>')
    .description('remove all settings of an instance, readable or not')
    .action(remove);
  command
    .command('export [file]')
    .description('write all settings, secrets included, as a file for import or SETTINGS_FILE')
    .action(exportAll);
  command
    .command('import [file]')
    .description(
      'set many instances: from a file that export wrote, each replacing what was set; or from a running core API',
    )
    .option('--from-core <url>', 'read them from a core API or evolution-go; shows what would change')
    .option('--key <key>', 'global key of the core; without it AUTHENTICATION_API_KEY')
    .option('--apply', 'with --from-core: do what is shown')
    .option('--hand-over', 'with --from-core: deliver here, and switch the own delivery of the core off')
    .option('--hand-back', 'with --from-core: let the core deliver again what was handed over')
    .option('--instance <name...>', 'with --from-core: these instances only')
    .option('--sections <names>', 'with --hand-over: of webhook, pusher, websocket', (text) =>
      text.split(','),
    )
    .action(importAny);
  addFilterTest(command);
  command
    .command('encrypt')
    .description(
      'encrypt what is stored in clear or with an older key, with the first SETTINGS_ENCRYPTION_KEY',
    )
    .action(encrypt);
  return command;
}

function withInstances<T>(work: (instances: SettingsEditor, store: SettingsStore) => Promise<T>): Promise<T> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  return withSettings(MODULES.sections, config, async (store) => {
    try {
      return await work(editorOf(config, store), store);
    } catch (error) {
      throw error instanceof SettingsRefusedError ? new UsageError('not set:', error.problems) : error;
    }
  });
}

function editorOf(config: Config, store: SettingsStore): SettingsEditor {
  // What is set here is what Redis holds.
  return new SettingsEditor({
    ...{ store, file: new Map(), config },
    alsoKnow: (settings) => MODULES.consumedEvents.setInVain(config, settings),
  });
}

async function list(): Promise<void> {
  const { rows, unreadable } = await withInstances((_, store) => listSettings(store));
  printTable(settingsHead(MODULES.sections), rows);
  warn(unreadable);
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const leftOut = leftOutLine(config, new Set(rows.flatMap(([name]) => name ?? [])));
  if (leftOut !== undefined) complain(leftOut);
}

async function get(instance: string): Promise<void> {
  const settings = await withInstances((instances) => instances.find(instance));
  if (settings === undefined) return reportMissing(instance);
  printJson(masked(MODULES.sections, settings), 2);
}

async function set(instance: string, json: string | undefined, options: { file?: string }): Promise<void> {
  if (json !== undefined && options.file !== undefined)
    throw new UsageError('give the JSON or --file, not both');
  const sections = objectOf(json ?? fromFile(options.file), options.file ?? 'the settings');
  const { warnings } = await withInstances((instances) =>
    instances.setSections(instance, sections, { replaceUnreadable: true }),
  );
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  warn([...warnings, ...MODULES.sections.obstacles(config, sections)]);
  printLine(`set ${instance}`);
}

async function remove(instance: string): Promise<void> {
  try {
    await withInstances((instances) => instances.remove(instance));
  } catch (error) {
    if (error instanceof SettingsMissingError) return reportMissing(instance);
    throw error;
  }
  printLine(`removed ${instance}`);
}

async function exportAll(file: string | undefined): Promise<void> {
  const { all, unreadable } = await withInstances((_, store) => exportSettings(store));
  if (file === undefined) printJson(all, 2);
  else {
    writeSecrets(file, `${JSON.stringify(all, null, 2)}\n`);
    printLine(`exported ${counted(all.length, 'instance')} to ${file}`);
  }
  if (unreadable.length === 0) return;
  for (const line of boundedLines(unreadable)) complain(`not exported: ${line}`);
  process.exitCode = FINDING;
}

async function encrypt(): Promise<void> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  if (config.settings.encryptionKeys.length === 0) {
    throw new UsageError(
      'SETTINGS_ENCRYPTION_KEY: must be set, such as the output of: openssl rand -base64 32',
    );
  }
  // What is in clear is what this is for.
  const accepting = { ...config, settings: { ...config.settings, acceptClear: true } };
  const { encrypted, problems } = await withSettings(MODULES.sections, accepting, encryptAll);
  printLine(`encrypted ${encrypted.length}`);
  for (const line of boundedLines(encrypted)) printLine(`  ${line}`);
  if (problems.length === 0) return;
  for (const line of boundedLines(problems)) complain(`not encrypted: ${line}`);
  process.exitCode = FINDING;
}

async function importAny(file: string | undefined, options: Partial<CoreImportOptions>): Promise<void> {
  const { fromCore } = options;
  if (fromCore !== undefined && file === undefined) return importFromCore({ ...options, fromCore });
  if (file === undefined || fromCore !== undefined)
    throw new UsageError('give a file, or --from-core with the address of a core API');
  const [misplaced] = Object.keys(options);
  if (misplaced !== undefined)
    throw new UsageError('a file is imported as it is: options are for --from-core');
  return importAll(file);
}

async function importAll(file: string): Promise<void> {
  const content = parse(fromFile(file), file);
  const entries: unknown[] = Array.isArray(content) ? content : [content];
  const named = entries.map((entry, index) => {
    const name = instanceNameOf(entry);
    if (name !== undefined) return [name, entry] as const;
    throw new UsageError(`${file}[${index}].instanceName must be the name of an instance`);
  });
  const failed = await withInstances(async (instances) => {
    // All are checked before the first one is set.
    checkAll(instances, named, file);
    return importEach(instances, named);
  });
  printLine(`imported ${named.length - failed.length}`);
  if (failed.length > 0) process.exitCode = FINDING;
  for (const line of boundedLines(failed)) complain(`not imported: ${line}`);
}

function checkAll(
  instances: SettingsEditor,
  entries: readonly (readonly [name: string, entry: unknown])[],
  file: string,
): void {
  const warnings: string[] = [];
  const problems: string[] = [];
  for (const [index, [instance, entry]] of entries.entries()) {
    const where = `${file}[${index}]`;
    try {
      warnings.push(...instances.rules.check(instance, entry).warnings);
    } catch (error) {
      if (!(error instanceof SettingsRefusedError)) throw error;
      problems.push(...error.problems.map((problem) => `${where}.${problem}`));
    }
  }
  warn(warnings);
  if (problems.length > 0) throw new SettingsRefusedError(problems);
}

function warn(warnings: readonly string[]): void {
  for (const warning of boundedLines(warnings)) complain(`warning: ${warning}`);
}

function fromFile(file: string | undefined): string {
  if (file === undefined) throw new UsageError('give the JSON, or --file');
  return readInput(file, MAX_SETTINGS_FILE_BYTES).toString('utf8');
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${what} must be JSON, with every name and text in double quotes`);
  }
}

function objectOf(text: string, what: string): object {
  const value = parse(text, what);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(`${what} must be a JSON object, such as {"webhook":{"url":"https://…"}}`);
}

function reportMissing(instance: string): void {
  const shown = instance.trim() === instance ? instance : JSON.stringify(instance);
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const isInFile = namesInFile(config).has(instance);
  const elsewhere = isInFile ? `: its settings are those of ${config.settings.file}` : '';
  complain(`nothing is set for ${shown} in Redis${elsewhere}`);
  process.exitCode = FINDING;
}
