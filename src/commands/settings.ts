import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { withSettings } from '../app/store';
import { fileProblem } from '../config/layers';
import { loadConfig } from '../config/load';
import { AddressGuard } from '../destinations/webhook/address-guard';
import { instanceNameOf, parseSettings } from '../settings/document';
import { masked } from '../settings/mask';
import type { Settings } from '../settings/schema';
import type { SettingsStore } from '../settings/store';
import { FINDING, UsageError } from './exit';
import { table } from './table';

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

function withStore<T>(work: (store: SettingsStore) => Promise<T>): Promise<T> {
  return withSettings(loadConfig(process.cwd(), process.env).config, work);
}

async function list(): Promise<void> {
  const rows: string[][] = [];
  await withStore(async (store) => {
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
  process.stdout.write(table(['INSTANCE', 'WEBHOOKS', 'PUSHER', 'WEBSOCKET', 'RABBITMQ', 'SQS'], rows));
}

function state(section: { readonly enabled: boolean } | undefined): string {
  if (section === undefined) return '-';
  return section.enabled ? 'on' : 'off';
}

async function get(instance: string): Promise<void> {
  const settings = await withStore((store) => store.read(instance));
  if (settings === undefined) return reportMissing(instance);
  process.stdout.write(`${JSON.stringify(masked(settings), null, 2)}\n`);
}

async function set(instance: string, json: string | undefined, options: { file?: string }): Promise<void> {
  const sections = objectOf(json ?? read(options.file));
  const guard = addressGuard();
  await withStore((store) =>
    store.update(instance, (before) => checked({ ...before, ...sections }, `settings of ${instance}`, guard)),
  );
  process.stdout.write(`set ${instance}\n`);
}

async function remove(instance: string): Promise<void> {
  let found = false;
  await withStore((store) =>
    store.update(instance, (before) => {
      found = before !== undefined;
      return undefined;
    }),
  );
  if (!found) return reportMissing(instance);
  process.stdout.write(`removed ${instance}\n`);
}

async function exportAll(file: string | undefined): Promise<void> {
  const all: object[] = [];
  await withStore(async (store) => {
    for await (const [instanceName, settings] of store.list()) all.push({ instanceName, ...settings });
  });
  const text = `${JSON.stringify(all, null, 2)}\n`;
  // Nobody else's business: it holds secrets.
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text, { mode: 0o600 });
}

async function importAll(file: string): Promise<void> {
  const content = parse(read(file));
  const entries = Array.isArray(content) ? content : [content];
  const guard = addressGuard();
  // All are checked before the first one is set.
  const all = entries.map((entry: unknown, index) => {
    const name = instanceNameOf(entry);
    if (name === undefined) {
      throw new UsageError(`${file}[${index}].instanceName must be the name of an instance`);
    }
    return [name, checked(entry, `${file}[${index}]`, guard)] as const;
  });
  await withStore(async (store) => {
    for (const [instance, settings] of all) await store.update(instance, () => settings);
  });
  process.stdout.write(`imported ${all.length}\n`);
}

function read(file: string | undefined): string {
  if (file === undefined) throw new UsageError('give the JSON, or --file');
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${fileProblem(error)}`);
  }
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
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, item ?? undefined]));
  }
  throw new UsageError('the settings must be a JSON object, such as {"webhook":{"url":"https://…"}}');
}

function addressGuard(): AddressGuard {
  return new AddressGuard(loadConfig(process.cwd(), process.env).config.webhook.allowedNetworks);
}

function checked(value: unknown, what: string, guard: AddressGuard): Settings {
  const parsed = parseSettings(value);
  const problems = parsed.ok ? addressProblems(parsed.settings, guard) : parsed.problems;
  if (problems.length > 0 || !parsed.ok) {
    throw new UsageError(`${what}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
  for (const warning of parsed.warnings) process.stderr.write(`warning: ${warning}\n`);
  return parsed.settings;
}

/** What the worker would refuse to connect to is refused here already, as far as the address itself shows it. */
function addressProblems({ webhook, webhooks }: Settings, guard: AddressGuard): string[] {
  const all = Object.entries(webhooks).map(([name, { url }]) => [`webhooks.${name}`, url] as const);
  return [...(webhook === undefined ? [] : [['webhook', webhook.url] as const]), ...all].flatMap(
    ([section, url]) => {
      const problem = guard.checkUrl(url);
      return problem === undefined ? [] : [`${section}.${problem}`];
    },
  );
}

function reportMissing(instance: string): void {
  process.stderr.write(`nothing is set for ${instance} in Redis\n`);
  process.exitCode = FINDING;
}
