import { Command, InvalidArgumentError } from 'commander';
import {
  DESTINATION_STATES,
  type DestinationFilter,
  type DestinationHealth,
  DestinationList,
} from '../health/destination-list';
import { shownDestination } from '../health/shown-destination';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { choice } from './choice';
import { FINDING } from './exit';
import { parseInstance } from './instance-option';
import { complain, printJson, printLine, printTable } from './output';

interface Options extends DestinationFilter {
  readonly json?: boolean;
}

/** They are known by what was counted for them, and not by settings. */
const ONLY_SEEN = 'one that is new is known from its first event on';

const HEAD = ['DESTINATION', 'STATE', 'SINCE', 'WAITING', 'OLDEST', 'ERROR', 'STATUS', 'ADDRESS'];

export function destinationsCommand(): Command {
  const command = new Command('destinations').description(
    'how destinations are: list, show; suspend and resume them',
  );
  command
    .command('ls')
    .description('list, worst first')
    .option('--instance <name>', "this instance's own", parseInstance)
    .addOption(choice('--state <state>', 'in this state', DESTINATION_STATES))
    .option('--offset <n>', 'leave out that many', parseOffset, 0)
    .option('--limit <n>', 'maximum number of lines', parseCount, 100)
    .option('--json', 'one JSON object a line')
    .action(list);
  command.command('show <id>').description('one destination').action(show);
  command
    .command('suspend <ids...>')
    .description('attempt nothing until they are resumed; their deliveries are parked')
    .action((ids: string[]) => each(ids, 'suspended', (all, id) => all.suspend(id)));
  command
    .command('resume <ids...>')
    .description('attempt again what waits for them')
    .action((ids: string[]) => each(ids, 'resumed', (all, id) => all.resume(id)));
  return command;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

function parseOffset(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

function withDestinations<T>(work: (destinations: DestinationList) => Promise<T>): Promise<T> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  return withStore(config.redis, (store) => work(new DestinationList(store)));
}

async function list({ json, ...filter }: Options): Promise<void> {
  const { destinations, total } = await withDestinations((all) => all.page(filter));
  if (json) for (const each of destinations) printJson(shownDestination(each));
  else {
    printTable(HEAD, destinations.map(rowOf));
    if (destinations.length === 0 && total === 0) complain(`no destinations found: ${ONLY_SEEN}`);
    const left = total - (filter.offset ?? 0) - destinations.length;
    if (left > 0) printLine(`${left} more: --offset ${(filter.offset ?? 0) + destinations.length}`);
  }
}

function rowOf(health: DestinationHealth): (string | number)[] {
  const { id, state, since, waiting, oldest, code = '', status = 0, address = '' } = health;
  return [id, state, timeOf(since), waiting, timeOf(oldest), code, status === 0 ? '' : status, address];
}

function timeOf(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString();
}

async function show(id: string): Promise<void> {
  const found = await withDestinations((all) => all.show(id));
  if (found !== undefined) return printJson(shownDestination(found), 2);
  complain(unknown(id));
  process.exitCode = FINDING;
}

function unknown(id: string): string {
  return `there is no destination ${id}: destinations ls shows them; ${ONLY_SEEN}`;
}

async function each(
  ids: readonly string[],
  done: string,
  change: (destinations: DestinationList, id: string) => Promise<boolean>,
): Promise<void> {
  await withDestinations(async (destinations) => {
    for (const id of ids) {
      if (await change(destinations, id)) printLine(`${done} ${id}`);
      else {
        complain(unknown(id));
        process.exitCode = FINDING;
      }
    }
  });
}
