import { Command } from 'commander';
import { describe, envExample } from '../config/describe';
import { loadConfig } from '../config/load';
import { complain, printTable, printText } from './output';

export function configCommand(): Command {
  return new Command('config')
    .description('show the effective configuration, secrets masked, with where each value came from')
    .option('--env-example', 'print a commented .env with every variable at its default')
    .action((options: { envExample?: boolean }) => {
      if (options.envExample) {
        printText(envExample());
        return;
      }
      const loaded = loadConfig(process.cwd(), process.env);
      const rows = describe(loaded).map(({ name, value, origin }) => [name, value, origin]);
      printTable(['VARIABLE', 'VALUE', 'FROM'], rows);
      for (const warning of loaded.warnings) complain(`warning: ${warning}`);
    });
}
