import { Command, InvalidArgumentError } from 'commander';
import { REASONS_HELP } from '../dead-letters/filter-problems';
import type { LoggedDelivery } from '../delivery-log/delivery-log';
import { type LogFilter, OUTCOMES } from '../delivery-log/log-filter';
import { attemptsOf, notSeen, shownDelivery, shownStory } from '../delivery-log/shown-delivery';
import { plural } from '../plural';
import { MOMENT, parseMoment } from '../time/moment';
import { choice } from './choice';
import { FINDING, UsageError } from './exit';
import { checkFilter } from './filters';
import { parseInstance } from './instance-option';
import { goesOn } from './listing';
import { complain, printJson, printLine, printTable } from './output';
import { DEFAULT_RATE, needlessLine, replayHere, withReplays } from './with-replays';

interface Options extends LogFilter {
  readonly json?: boolean;
  readonly limit?: number;
}

const MOST = 10_000;

export function deliveriesCommand(): Command {
  const command = new Command('deliveries').description(
    'the delivery log: where is my message? What happened to deliveries, and what came back',
  );
  deliveryFilters(command.command('ls').description('list, newest first'))
    .option('--limit <n>', 'maximum number of lines', parseCount, 100)
    .option('--json', 'one JSON object a line')
    .action(list);
  command
    .command('show <id>')
    .description('one delivery with its attempts, what came back, and its body where it is kept')
    .action(show);
  deliveryFilters(
    command.command('replay').description('deliver again what the filters find, under the same ids'),
  )
    .option('--all', 'everything that can be')
    .option('--preview', 'only count it')
    .option('--per-second <n>', 'deliveries a second', parseCount, DEFAULT_RATE)
    .action(replay);
  return command;
}

function deliveryFilters(command: Command): Command {
  return command
    .option('--id <id>', 'this delivery')
    .option('--message <id>', 'of this WhatsApp message')
    .option('--chat <number>', 'of this phone number, or chat, however it is written')
    .option('--instance <name>', 'of this instance', parseInstance)
    .option('--event <event>', 'of this event: messages.upsert or MESSAGES_UPSERT')
    .option('--destination <id>', 'to this destination, such as webhook:global')
    .addOption(choice('--outcome <outcome>', 'with this outcome', OUTCOMES))
    .option('--reason <code>', REASONS_HELP.deliveries)
    .option('--since <time>', 'at or after: ISO time, or an age such as 2h', parseTime)
    .option('--until <time>', 'at or before', parseTime);
}

function parseTime(text: string): number {
  const moment = parseMoment(text, Date.now());
  if (moment === undefined) throw new InvalidArgumentError(`must be ${MOMENT}`);
  return moment;
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text) || Number(text) > MOST)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${MOST}`);
  return Number(text);
}

interface ReplayOptions extends LogFilter {
  readonly all?: boolean;
  readonly preview?: boolean;
  readonly perSecond?: number;
}

async function replay({ all, preview, perSecond = DEFAULT_RATE, ...filter }: ReplayOptions): Promise<void> {
  if (!all && Object.keys(filter).length === 0) throw new UsageError('name filters, or say --all');
  checkFilter(filter, 'deliveries');
  const spec = { what: 'deliveries', filter: { ...filter }, perSecond } as const;
  if (!preview) return replayHere(spec);
  const { replayed, withoutBody, needless } = await withReplays(({ runner }) => runner.preview(spec));
  printLine(`would replay ${replayed}`);
  if (withoutBody > 0)
    printLine(
      `${withoutBody} cannot be replayed: ${plural(withoutBody, 'its body is', 'their bodies are')} not kept (DELIVERY_LOG_BODIES)`,
    );
  if (needless > 0) printLine(needlessLine(needless));
}

async function list({ json, limit = 100, ...filter }: Options): Promise<void> {
  checkFilter(filter, 'deliveries');
  const { deliveries, more, coverage } = await withReplays(({ log }) => log.search(filter, limit));
  if (json) for (const delivery of deliveries) printJson(shownDelivery(delivery));
  else if (deliveries.length > 0) printTable(HEAD, deliveries.map(rowOf));
  if (deliveries.length === 0) complain(notSeen(coverage, filter));
  if (more) complain(goesOn(limit));
}

const HEAD = [
  'ID',
  'LAST',
  'OUTCOME',
  'REASON',
  'TRIES',
  'STATUS',
  'DESTINATION',
  'INSTANCE',
  'EVENT',
  'MESSAGE',
  'CHAT',
];

function rowOf(delivery: LoggedDelivery): (string | number)[] {
  const { id, at, outcome, reason, destination, instance, event, message, chat, records } = delivery;
  const last = records.findLast(({ attempt }) => attempt > 0);
  return [
    id,
    new Date(at).toISOString(),
    outcome,
    reason,
    attemptsOf(delivery).length,
    last === undefined || last.status === 0 ? '' : String(last.status),
    destination,
    instance,
    event,
    message,
    chat,
  ];
}

async function show(id: string): Promise<void> {
  const found = await withReplays(async ({ log }) => {
    const delivery = await log.find(id);
    return delivery && { delivery, body: await log.body(delivery) };
  });
  if (found === undefined) {
    complain(`the delivery log knows nothing of ${id}`);
    process.exitCode = FINDING;
    return;
  }
  const { delivery, body } = found;
  printJson({ ...shownStory(delivery), ...(body === undefined ? {} : { body: body.toString('utf8') }) }, 2);
}
