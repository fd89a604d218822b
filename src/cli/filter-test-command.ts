import type { Command } from 'commander';
import type { Config } from '../config/config';
import { type RecentEvent, recentEvent } from '../dead-letters/recent-event';
import { type FilterAnswer, testFilters } from '../destinations/filter-test';
import { errorText, MalformedEventError } from '../errors';
import { type Envelope, parseEnvelope } from '../events/envelope';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import type { Settings } from '../settings/section';
import { SettingsEditor } from '../settings/settings-editor';
import { readSettingsFile } from '../settings/settings-file';
import { withSettings } from '../settings/with-settings';
import { UsageError } from './exit';
import { MAX_EVENT_FILE_BYTES, readInput } from './files';
import { printJson, printLine, printTable } from './output';

interface Options {
  readonly file?: string;
  readonly json?: boolean;
}

interface Tested {
  readonly from: 'file' | RecentEvent['state'];
  readonly envelope: Envelope;
}

export function addFilterTest(settings: Command): void {
  settings
    .command('test-filter <instance>')
    .description(
      'say which destinations would receive an event, and why the others would not; nothing is sent',
    )
    .option(
      '--file <file>',
      'the JSON of the event, - for standard input; without it one of the instance that is parked or dead',
    )
    .option('--json', 'as JSON')
    .action(testFilter);
}

async function testFilter(instance: string, options: Options): Promise<void> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const file = readSettingsFile(MODULES.sections, process.cwd(), config.settings.file).settings;
  const given = options.file === undefined ? undefined : eventIn(options.file, instance);
  const settings = await withSettings(MODULES.sections, config, (store) =>
    new SettingsEditor({ store, file, config }).find(instance),
  );
  const tested = given ?? (await withStore(config.redis, (store) => stored(store, instance)));
  const answers = answersFor(tested.envelope, instance, config, settings);
  if (options.json === true) return printJson(shown(tested, instance, answers), 2);
  printLine(`${tested.envelope.event} of ${instance} (${tested.from})`);
  printTable(['DESTINATION', 'RECEIVES', 'WHY NOT'], answers.map(verdictRow));
}

function answersFor(
  envelope: Envelope,
  instance: string,
  config: Config,
  settings: Settings | undefined,
): FilterAnswer[] {
  const { destinations: modules } = MODULES;
  return testFilters({ modules, config, envelope, instance, settings, withGlobals: true });
}

async function stored(store: Parameters<typeof recentEvent>[0], instance: string): Promise<Tested> {
  const recent = await recentEvent(store, instance);
  if (recent !== undefined) return { from: recent.state, envelope: recent.envelope };
  throw new UsageError(`nothing of ${instance} is parked or dead: give an event with --file`);
}

function eventIn(file: string, instance: string): Tested {
  try {
    const envelope = parseEnvelope(
      readInput(file, MAX_EVENT_FILE_BYTES),
      { routingKey: '', instance },
      Date.now(),
    );
    return { from: 'file', envelope };
  } catch (error) {
    if (error instanceof MalformedEventError)
      throw new UsageError(`${file} must be the JSON of one event: ${errorText(error)}`);
    throw error;
  }
}

function shown({ from, envelope }: Tested, instance: string, destinations: readonly FilterAnswer[]): object {
  return { instance, event: envelope.event, from, destinations };
}

/** A line of the table. */
export function verdictRow({ destination, receives, reasons = [] }: FilterAnswer): string[] {
  const why = reasons.map(({ item, condition, wanted, found }) =>
    [
      item === undefined ? '' : `item ${item}: `,
      // Not what an event says is the reason, but how the relay is set up.
      condition === 'configuration' ? String(wanted) : `${condition} wants ${JSON.stringify(wanted)}`,
      found === undefined ? '' : `, found ${JSON.stringify(found)}`,
    ].join(''),
  );
  return [destination, receives ? 'yes' : 'no', why.join('; ')];
}
