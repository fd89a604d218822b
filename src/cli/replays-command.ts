import { Command } from 'commander';
import type { Replay } from '../replays/replay-store';
import { FINDING } from './exit';
import { parseCount } from './filters';
import { printListing } from './listing';
import { complain, printLine } from './output';
import { withReplays } from './with-replays';

const LIMIT = 100;
const HEAD = ['ID', 'STATE', 'WHAT', 'BEGUN', 'SEEN', 'REPLAYED', 'WITHOUT BODY', 'FILTER'];

export function replaysCommand(): Command {
  const command = new Command('replays').description('replays of dead letters and deliveries: list, cancel');
  command
    .command('ls')
    .description('list, newest first')
    .option('--limit <n>', 'maximum number of lines', parseCount, LIMIT)
    .action(list);
  command.command('cancel <id>').description('end a replay; what it has replayed stays so').action(cancel);
  return command;
}

async function list({ limit }: { readonly limit: number }): Promise<void> {
  const found = await withReplays(({ store }) => store.list(limit + 1));
  printListing({ what: 'replays', found, limit, head: HEAD, rowOf });
}

function rowOf({ id, state, spec, begun, progress }: Replay): (string | number)[] {
  const { seen, replayed, withoutBody } = progress;
  const filter = JSON.stringify(spec.filter);
  return [id, state, spec.what, new Date(begun).toISOString(), seen, replayed, withoutBody, filter];
}

async function cancel(id: string): Promise<void> {
  if (await withReplays(({ store }) => store.end(id, 'cancelled'))) return printLine(`cancelled ${id}`);
  complain(`no replay ${id} is under way`);
  process.exitCode = FINDING;
}
