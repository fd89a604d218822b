import { Command } from 'commander';
import { loadConfig } from '../config/load';
import { audit } from '../ledger/audit';
import { withStore } from '../retry/with-store';
import { FINDING } from './exit';
import { table } from './table';

export function auditCommand(): Command {
  return new Command('audit')
    .description('prove that accepted = delivered + parked + dead + discarded, for every destination')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { config } = loadConfig(process.cwd(), process.env);
      const lines = await withStore(config.redis, audit);
      const isBalanced = lines.every(({ difference }) => difference === 0);
      if (options.json)
        process.stdout.write(`${JSON.stringify({ balanced: isBalanced, destinations: lines })}\n`);
      else {
        process.stdout.write(
          table(
            ['DESTINATION', 'ACCEPTED', 'DELIVERED', 'PARKED', 'DEAD', 'DISCARDED', 'DIFFERENCE'],
            lines.map((line) => Object.values(line) as (string | number)[]),
          ),
        );
        if (lines.length === 0) {
          process.stderr.write(
            `nothing was counted under REDIS_PREFIX_KEY=${config.redis.prefix}: is it the workers' one?\n`,
          );
        }
        process.stdout.write(isBalanced ? 'balanced\n' : 'NOT balanced: see DIFFERENCE\n');
      }
      if (!isBalanced) process.exitCode = FINDING;
    });
}
