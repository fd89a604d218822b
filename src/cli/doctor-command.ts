import { Command } from 'commander';
import { loadConfig } from '../config/load';
import { readSettingsFile } from '../settings/settings-file';
import { FINDING } from './exit';
import { table } from './table';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check that everything configured can be reached and fits; changes nothing')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const directory = process.cwd();
      const { config, warnings } = loadConfig(directory, process.env);
      const file = readSettingsFile(directory, config.settings.file);
      // Only here: no other command needs what everything is looked at with.
      const { examine } = await import('../doctor/doctor.js');
      const findings = await examine({
        config,
        warnings: [...warnings, ...file.warnings],
        settings: file.settings,
      });
      const troubles = findings.filter(({ state }) => state === 'trouble').length;
      if (options.json) process.stdout.write(`${JSON.stringify({ healthy: troubles === 0, findings })}\n`);
      else {
        process.stdout.write(
          table(
            ['PART', 'CHECK', 'STATE', 'DETAIL'],
            findings.map(({ part, check, state, detail }) => [part, check, state, detail]),
          ),
        );
        process.stdout.write(troubles === 0 ? 'healthy\n' : `${troubles} × trouble\n`);
      }
      if (troubles > 0) process.exitCode = FINDING;
    });
}
