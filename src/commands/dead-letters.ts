import { Command, InvalidArgumentError } from 'commander';
import { withStore } from '../app/store';
import { loadConfig } from '../config/load';
import { type DeadLetter, type DeadLetterFilter, DeadLetters } from '../retry/dead-letters';
import { FINDING, UsageError } from './exit';
import { table } from './table';

interface Options extends DeadLetterFilter {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly limit?: number;
}

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('what was given up on: list, show, replay, remove');
  filters(command.command('ls').description('list, newest first'))
    .option('--limit <n>', 'at most so many', parseCount, 100)
    .option('--json', 'one JSON object a line')
    .action(list);
  command.command('show <id>').description('one dead letter with its history and body').action(show);
  filters(
    command
      .command('replay [ids...]')
      .description('deliver again: those named, or those that the filters choose'),
  )
    .option('--all', 'every dead letter')
    .action((ids: string[], options: Options) => each(ids, options, REPLAY));
  filters(
    command
      .command('rm [ids...]')
      .description('remove for good: those named, or those that the filters choose'),
  )
    .option('--all', 'every dead letter')
    .action((ids: string[], options: Options) => each(ids, options, REMOVE));
  return command;
}

function filters(command: Command): Command {
  return command
    .option('--instance <name>', 'of this instance')
    .option('--event <event>', 'of this event: messages.upsert or MESSAGES_UPSERT')
    .option('--destination <id>', 'for this destination, such as webhook:global')
    .option('--reason <reason>', 'attempts-exhausted, rejected, destination-removed or malformed')
    .option('--since <time>', 'given up on at or after: ISO time, or an age such as 2h', parseTime)
    .option('--until <time>', 'given up on at or before', parseTime);
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseTime(text: string): number {
  const age = /^(\d+)([smhd])$/.exec(text);
  if (age !== null) return Date.now() - Number(age[1]) * (UNIT_MS[age[2] ?? ''] ?? 0);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new InvalidArgumentError('must be an ISO time, or an age such as 30m, 2h or 7d');
  return time;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1');
  return Number(text);
}

function withDeadLetters<T>(work: (deadLetters: DeadLetters) => Promise<T>): Promise<T> {
  const { config } = loadConfig(process.cwd(), process.env);
  return withStore(config.redis, (store) => work(new DeadLetters(store)));
}

async function list(options: Options): Promise<void> {
  const letters: DeadLetter[] = [];
  await withDeadLetters(async (deadLetters) => {
    for await (const letter of deadLetters.list(options)) {
      letters.push(letter);
      if (letters.length >= (options.limit ?? 100)) return;
    }
  });
  if (options.json) for (const letter of letters) process.stdout.write(`${JSON.stringify(letter)}\n`);
  else {
    const rows = letters.map(({ id, at, destination, instance, event, reason, detail, bytes }) => [
      id,
      new Date(at).toISOString(),
      destination,
      instance,
      event,
      detail ?? reason,
      bytes,
    ]);
    process.stdout.write(table(['ID', 'SINCE', 'DESTINATION', 'INSTANCE', 'EVENT', 'REASON', 'BYTES'], rows));
  }
}

async function show(id: string): Promise<void> {
  const letter = await withDeadLetters((deadLetters) => deadLetters.show(id));
  if (letter === undefined) {
    process.stderr.write(`there is no dead letter ${id}\n`);
    process.exitCode = FINDING;
    return;
  }
  const { body, at, ...rest } = letter;
  process.stdout.write(
    `${JSON.stringify({ ...rest, at: new Date(at).toISOString(), body: body.toString('utf8') }, null, 2)}\n`,
  );
}

interface Action {
  readonly done: string;
  /** Which of those that filters find it is for. */
  readonly chooses: (letter: DeadLetter) => boolean;
  /** What was in the way, where something was. */
  readonly work: (deadLetters: DeadLetters, id: string) => Promise<string | undefined>;
}

const REPLAY: Action = {
  done: 'replayed',
  chooses: ({ reason }) => reason !== 'malformed',
  work: async (deadLetters, id) => {
    const result = await deadLetters.replay(id);
    if (result === 'replayed') return undefined;
    return result === 'malformed'
      ? `${id} is not an event and cannot be delivered`
      : `there is no dead letter ${id}`;
  },
};

const REMOVE: Action = {
  done: 'removed',
  chooses: () => true,
  work: async (deadLetters, id) =>
    (await deadLetters.remove(id)) ? undefined : `there is no dead letter ${id}`,
};

async function each(ids: readonly string[], options: Options, action: Action): Promise<void> {
  const { all, ...filter } = options;
  if (ids.length === 0 && !all && Object.keys(filter).length === 0) {
    throw new UsageError('name ids or filters, or say --all');
  }
  if (ids.length > 0 && (all || Object.keys(filter).length > 0)) {
    throw new UsageError('name ids, or filters, but not both');
  }
  const problems = await withDeadLetters(async (deadLetters) => {
    const chosen = ids.length > 0 ? ids : await idsOf(deadLetters, filter, action);
    const found: string[] = [];
    let count = 0;
    for (const id of chosen) {
      const problem = await action.work(deadLetters, id);
      if (problem === undefined) count++;
      else found.push(problem);
    }
    process.stdout.write(`${action.done} ${count}\n`);
    return found;
  });
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = FINDING;
}

async function idsOf(deadLetters: DeadLetters, filter: DeadLetterFilter, action: Action): Promise<string[]> {
  const ids: string[] = [];
  for await (const letter of deadLetters.list(filter)) {
    if (action.chooses(letter)) ids.push(letter.id);
  }
  return ids;
}
