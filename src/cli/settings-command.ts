import { Command } from 'commander';
import { loadConfig } from '../config/load';
import { Pushers } from '../destinations/pusher/pushers';
import { AddressGuard } from '../network/address-guard';
import { instanceNameOf } from '../settings/document';
import { masked } from '../settings/mask';
import { InstanceSettings, SettingsMissingError, SettingsRefusedError } from '../settings/settings-editor';
import type { SettingsStore } from '../settings/settings-store';
import { withSettings } from '../settings/with-settings';
import { FINDING, UsageError } from './exit';
import { readInput, writeSecrets } from './files';
import { complain, printJson, printLine, printTable } from './output';

export function settingsCommand(): Command {
  const command = new Command('settings').description('what is set for single instances, in Redis');
  command.command('ls').description('instances and what each has').action(list);
  command.command('get <instance>').description('settings of one instance, secrets masked').action(get);
  command
    .command('set <instance> [json]')
    .description('set sections, such as \'{"webhook":{"url":"https://…"}}\'; null removes one, others stay')
    .option('--file <file>', 'read the JSON from a file, - for standard input')
    .action(set);
  command.command('rm <instance>').description('forget all its settings').action(remove);
  command
    .command('export [file]')
    .description('all settings as a file for import or SETTINGS_FILE, secrets included')
    .action(exportAll);
  command
    .command('import <file>')
    .description('settings of many instances, as export writes them; each replaces what was set')
    .action(importAll);
  return command;
}

function withInstances<T>(
  work: (instances: InstanceSettings, store: SettingsStore) => Promise<T>,
): Promise<T> {
  const { config } = loadConfig(process.cwd(), process.env);
  return withSettings(config, async (store) => {
    const guard = new AddressGuard(config.webhook.allowedNetworks);
    const pushers = new Pushers(config);
    const instances = new InstanceSettings({
      store,
      // What is set here is what Redis holds.
      file: new Map(),
      checkUrl: (url) => guard.checkUrl(url),
      checkPusher: (instance, pusher) => pushers.problemOf(instance, pusher),
    });
    return work(instances, store).catch((error: unknown) => {
      throw error instanceof SettingsRefusedError ? new UsageError('not set:', error.problems) : error;
    });
  });
}

async function list(): Promise<void> {
  const rows: string[][] = [];
  await withInstances(async (_, store) => {
    for await (const [instance, { webhook, webhooks, pusher, websocket, rabbitmq, sqs }] of store.list()) {
      const named = Object.entries(webhooks).map(([name, each]) => `${name}: ${state(each)}`);
      rows.push([
        instance,
        [state(webhook), ...named].join(', '),
        ...[pusher, websocket, rabbitmq, sqs].map(state),
      ]);
    }
  });
  rows.sort(([a = ''], [b = '']) => a.localeCompare(b));
  printTable(['INSTANCE', 'WEBHOOKS', 'PUSHER', 'WEBSOCKET', 'RABBITMQ', 'SQS'], rows);
}

function state(section: { readonly enabled: boolean } | undefined): string {
  if (section === undefined) return '-';
  return section.enabled ? 'on' : 'off';
}

async function get(instance: string): Promise<void> {
  const settings = await withInstances((instances) => instances.find(instance));
  if (settings === undefined) return reportMissing(instance);
  printJson(masked(settings), 2);
}

async function set(instance: string, json: string | undefined, options: { file?: string }): Promise<void> {
  const sections = objectOf(json ?? fromFile(options.file));
  const { warnings } = await withInstances((instances) => instances.setSections(instance, sections));
  warn(warnings);
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
  const all: object[] = [];
  await withInstances(async (_, store) => {
    for await (const [instanceName, settings] of store.list()) all.push({ instanceName, ...settings });
  });
  if (file === undefined) printJson(all, 2);
  else writeSecrets(file, `${JSON.stringify(all, null, 2)}\n`);
}

async function importAll(file: string): Promise<void> {
  const content = parse(fromFile(file));
  const entries: unknown[] = Array.isArray(content) ? content : [content];
  const named = entries.map((entry, index) => {
    const name = instanceNameOf(entry);
    if (name !== undefined) return [name, entry] as const;
    throw new UsageError(`${file}[${index}].instanceName must be the name of an instance`);
  });
  await withInstances(async (instances) => {
    // All are checked before the first one is set.
    checkAll(instances, named, file);
    for (const [instance, entry] of named) await instances.replace(instance, entry);
  });
  printLine(`imported ${named.length}`);
}

function checkAll(
  instances: InstanceSettings,
  entries: readonly (readonly [name: string, entry: unknown])[],
  file: string,
): void {
  for (const [index, [, entry]] of entries.entries()) {
    try {
      warn(instances.check(entry).warnings);
    } catch (error) {
      if (!(error instanceof SettingsRefusedError)) throw error;
      throw new SettingsRefusedError(error.problems.map((problem) => `${file}[${index}].${problem}`));
    }
  }
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) complain(`warning: ${warning}`);
}

function fromFile(file: string | undefined): string {
  if (file === undefined) throw new UsageError('give the JSON, or --file');
  return readInput(file).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError('the settings must be JSON');
  }
}

function objectOf(text: string): object {
  const value = parse(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError('the settings must be a JSON object, such as {"webhook":{"url":"https://…"}}');
}

function reportMissing(instance: string): void {
  complain(`nothing is set for ${instance} in Redis`);
  process.exitCode = FINDING;
}
