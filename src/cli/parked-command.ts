import { Command } from 'commander';
import { REASONS_HELP } from '../dead-letters/filter-problems';
import { ParkedDeliveries, type ParkedDelivery } from '../dead-letters/parked-deliveries';
import type { StoredFilter } from '../dead-letters/stored-filter';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { checkFilter, commonFilters, parseCount } from './filters';
import { printJson, printTable } from './output';

interface Options extends StoredFilter {
  readonly json?: boolean;
  readonly limit?: number;
}

const LIMIT = 100;

export function parkedCommand(): Command {
  const command = new Command('parked').description('deliveries that wait for their next attempt: list');
  commonFilters(command.command('ls').description('list, newest first'), 'parked')
    .option('--reason <reason>', REASONS_HELP.parked)
    .option('--limit <n>', 'maximum number of lines', parseCount, LIMIT)
    .option('--json', 'one JSON object a line')
    .action(list);
  return command;
}

async function list(options: Options): Promise<void> {
  checkFilter(options, 'parked');
  const parked = await firstParked(options);
  if (options.json) {
    for (const each of parked) printJson(each);
    return;
  }
  printTable(
    ['ID', 'SINCE', 'DUE', 'DESTINATION', 'INSTANCE', 'EVENT', 'ATTEMPTS', 'REASON', 'BYTES'],
    parked.map(({ id, at, dueAt, isBehind, destination, instance, event, attempts, reason: code, bytes }) => [
      id,
      new Date(at).toISOString(),
      isBehind ? 'behind' : dueAt === undefined ? 'now' : new Date(dueAt).toISOString(),
      destination,
      instance,
      event,
      attempts,
      code,
      bytes,
    ]),
  );
}

async function firstParked({ limit = LIMIT, json: _json, ...filter }: Options): Promise<ParkedDelivery[]> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const parked: ParkedDelivery[] = [];
  await withStore(config.redis, async (store) => {
    for await (const each of new ParkedDeliveries(store).list(filter)) {
      parked.push(each);
      if (parked.length >= limit) return;
    }
  });
  return parked;
}
