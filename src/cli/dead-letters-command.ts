import { Command } from 'commander';
import {
  changeDeadLetters,
  type DeadLetterChange,
  REMOVE,
  REPLAY,
} from '../dead-letters/dead-letter-changes';
import { type DeadLetter, type DeadLetterFilter, DeadLetters } from '../dead-letters/dead-letters';
import { REASONS_HELP } from '../dead-letters/filter-problems';
import { shownLetterStory } from '../dead-letters/shown-letter';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { FINDING, UsageError } from './exit';
import { checkFilter, commonFilters, parseCount } from './filters';
import { printListing } from './listing';
import { complain, printJson, printLine } from './output';
import { replayHere } from './with-replays';

/** They lie in Redis already: to make them wait for their attempt again costs little. */
const DEAD_LETTERS_PER_SECOND = 5000;
const LIMIT = 100;
const HEAD = ['ID', 'SINCE', 'DESTINATION', 'INSTANCE', 'EVENT', 'REASON', 'BYTES'];

interface Options extends DeadLetterFilter {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit?: number;
}

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description(
    'deliveries that were given up on: list, show, replay, remove',
  );
  filters(command.command('ls').description('list, newest first'))
    .option('--limit <n>', 'maximum number of lines', parseCount, LIMIT)
    .option('--json', 'one JSON object a line')
    .action(list);
  command.command('show <id>').description('one dead letter with its history and body').action(show);
  filters(
    command
      .command('replay [ids...]')
      .description('deliver dead letters again: those named, or those that match the filters'),
  )
    .option('--all', 'every dead letter')
    .action(replay);
  filters(
    command
      .command('rm [ids...]')
      .description('remove dead letters for good: those named, or those that match the filters'),
  )
    .option('--all', 'every dead letter')
    .action((ids: string[], options: Options) => each(ids, options, REMOVE));
  return command;
}

function filters(command: Command): Command {
  return commonFilters(command, 'given up on').option('--reason <reason>', REASONS_HELP['dead-letters']);
}

function withDeadLetters<T>(work: (deadLetters: DeadLetters) => Promise<T>): Promise<T> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  return withStore(config.redis, (store) => work(new DeadLetters(store)));
}

async function list({ json, limit = LIMIT, ...filter }: Options): Promise<void> {
  checkFilter(filter, 'dead-letters');
  const found: DeadLetter[] = [];
  await withDeadLetters(async (deadLetters) => {
    for await (const letter of deadLetters.list(filter)) {
      found.push(letter);
      if (found.length > limit) return;
    }
  });
  printListing({ what: 'dead letters', found, limit, head: HEAD, rowOf, json, times });
}

/** `at` is a number, as scripts read it by now. */
export function times({ at }: Pick<DeadLetter, 'at'>): { readonly since: string } {
  return { since: new Date(at).toISOString() };
}

function rowOf(letter: DeadLetter): (string | number)[] {
  const { id, at, destination, instance, event, reason, detail, bytes } = letter;
  return [id, new Date(at).toISOString(), destination, instance, event, detail ?? reason, bytes];
}

async function show(id: string): Promise<void> {
  const letter = await withDeadLetters((deadLetters) => deadLetters.show(id));
  if (letter === undefined) {
    complain(`there is no dead letter ${id}`);
    process.exitCode = FINDING;
    return;
  }
  printJson(shownLetterStory(letter), 2);
}

/** Those named at once; those that filters find as a replay, which says how far it is. */
async function replay(ids: readonly string[], options: Options): Promise<void> {
  const { all, json: _json, limit: _limit, ...filter } = options;
  if (ids.length > 0 || (!all && Object.keys(filter).length === 0)) return each(ids, options, REPLAY);
  checkFilter(filter, 'dead-letters');
  await replayHere({ what: 'dead-letters', filter: { ...filter }, perSecond: DEAD_LETTERS_PER_SECOND });
}

async function each(ids: readonly string[], options: Options, change: DeadLetterChange): Promise<void> {
  const { all, ...filter } = options;
  checkFilter(filter, 'dead-letters');
  if (ids.length === 0 && !all && Object.keys(filter).length === 0) {
    throw new UsageError('name ids or filters, or say --all');
  }
  if (ids.length > 0 && (all || Object.keys(filter).length > 0)) {
    throw new UsageError('name ids, or filters, but not both');
  }
  const { count, problems } = await withDeadLetters((deadLetters) =>
    changeDeadLetters(deadLetters, ids.length > 0 ? ids : filter, change),
  );
  printLine(`${change.done} ${count}`);
  for (const problem of problems) complain(problem);
  if (problems.length > 0) process.exitCode = FINDING;
}
