import { Command } from 'commander';
import { REASONS_HELP } from '../dead-letters/filter-problems';
import { ParkedDeliveries, type ParkedDelivery } from '../dead-letters/parked-deliveries';
import type { StoredFilter } from '../dead-letters/stored-filter';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { checkFilter, commonFilters, parseCount } from './filters';
import { printListing } from './listing';

interface Options extends StoredFilter {
  readonly json?: boolean;
  readonly limit?: number;
}

const LIMIT = 100;
const HEAD = ['ID', 'SINCE', 'DUE', 'DESTINATION', 'INSTANCE', 'EVENT', 'ATTEMPTS', 'REASON', 'BYTES'];

export function parkedCommand(): Command {
  const command = new Command('parked').description('deliveries that wait for their next attempt: list');
  commonFilters(command.command('ls').description('list, newest first'), 'parked')
    .option('--reason <reason>', REASONS_HELP.parked)
    .option('--limit <n>', 'maximum number of lines', parseCount, LIMIT)
    .option('--json', 'one JSON object a line')
    .action(list);
  return command;
}

async function list({ json, limit = LIMIT, ...filter }: Options): Promise<void> {
  checkFilter(filter, 'parked');
  const found = await firstParked(filter, limit + 1);
  printListing({ what: 'parked deliveries', found, limit, head: HEAD, rowOf, json, times });
}

/** `at` and `dueAt` are numbers, as scripts read them by now. */
export function times({ at, dueAt }: Pick<ParkedDelivery, 'at' | 'dueAt'>): Readonly<Record<string, string>> {
  const since = new Date(at).toISOString();
  return dueAt === undefined ? { since } : { since, due: new Date(dueAt).toISOString() };
}

function rowOf(parked: ParkedDelivery): (string | number)[] {
  const { id, at, dueAt, isBehind, destination, instance, event, attempts, reason, bytes } = parked;
  const due = dueAt === undefined ? 'now' : new Date(dueAt).toISOString();
  return [
    id,
    new Date(at).toISOString(),
    isBehind ? 'behind' : due,
    destination,
    instance,
    event,
    attempts,
    reason,
    bytes,
  ];
}

async function firstParked(filter: StoredFilter, count: number): Promise<ParkedDelivery[]> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const parked: ParkedDelivery[] = [];
  await withStore(config.redis, async (store) => {
    for await (const each of new ParkedDeliveries(store).list(filter)) {
      parked.push(each);
      if (parked.length >= count) return;
    }
  });
  return parked;
}
