import { Command } from 'commander';
import { audit } from '../ledger/audit';
import { MODULES } from '../modules';
import { withStore } from '../retry/with-store';
import { FINDING } from './exit';
import { complain, printJson, printLine, printTable, printText } from './output';

export function auditCommand(): Command {
  return new Command('audit')
    .description('prove that accepted = delivered + parked + dead + discarded, for every destination')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { config } = MODULES.loadConfig(process.cwd(), process.env);
      const { destinations: lines, largest } = await withStore(config.redis, audit);
      const isBalanced = lines.every(({ difference }) => difference === 0);
      if (options.json) printJson({ balanced: isBalanced, destinations: lines, largest });
      else {
        printTable(
          ['DESTINATION', 'ACCEPTED', 'DELIVERED', 'PARKED', 'DEAD', 'DISCARDED', 'DIFFERENCE'],
          lines.map((line) => Object.values(line) as (string | number)[]),
        );
        if (largest.length > 0) {
          printText('\nmost of Redis is taken by:\n');
          printTable(
            ['OWNER', 'PARKED', 'BYTES', 'DEAD', 'BYTES'],
            largest.map(({ owner, parked, parkedBytes, dead, deadBytes }) => [
              owner,
              parked,
              parkedBytes,
              dead,
              deadBytes,
            ]),
          );
        }
        if (lines.length === 0) {
          complain(
            `nothing was counted under REDIS_PREFIX_KEY=${config.redis.prefix} yet: look again in a second, or is it not the prefix of the workers?`,
          );
        }
        printLine(isBalanced ? 'balanced' : 'NOT balanced: see DIFFERENCE');
      }
      if (!isBalanced) process.exitCode = FINDING;
    });
}
