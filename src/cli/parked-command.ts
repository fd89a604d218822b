import { Command } from 'commander';
import {
  isParkedReason,
  PARKED_REASONS,
  ParkedDeliveries,
  type ParkedDelivery,
} from '../dead-letters/parked-deliveries';
import type { StoredFilter } from '../dead-letters/stored-filter';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { UsageError } from './exit';
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
    .option('--reason <reason>', PARKED_REASONS)
    .option('--limit <n>', 'maximum number of lines', parseCount, LIMIT)
    .option('--json', 'one JSON object a line')
    .action(list);
  return command;
}

async function list(options: Options): Promise<void> {
  const { reason, ...others } = options;
  if (reason !== undefined && !isParkedReason(reason))
    throw new UsageError('wrong filter:', [
      `reason: there is none called ${reason}: it must be ${PARKED_REASONS}`,
    ]);
  checkFilter(others);
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
