import { Command } from 'commander';
import { describe } from '../config/describe';
import { MODULES } from '../modules';
import { complain, printTable, printText } from './output';

export function configCommand(): Command {
  return new Command('config')
    .description('show the effective configuration, secrets masked, with where each value came from')
    .option('--env-example', 'print a commented .env with every variable at its default')
    .action((options: { envExample?: boolean }) => {
      if (options.envExample) {
        printText(MODULES.envExample());
        return;
      }
      const loaded = MODULES.loadConfig(process.cwd(), process.env);
      const rows = describe(loaded).map(({ name, value, origin }) => [name, value, origin]);
      printTable(['VARIABLE', 'VALUE', 'FROM'], rows);
      for (const warning of loaded.warnings) complain(`warning: ${warning}`);
      for (const note of loaded.notes) complain(`note: ${note}`);
    });
}
