import { Command } from 'commander';
import { MODULES } from '../modules';
import { readSettingsFile } from '../settings/settings-file';
import { FINDING } from './exit';
import { printJson, printLine, printTable } from './output';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check that everything configured can be reached and fits; changes nothing')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const directory = process.cwd();
      const { config, warnings, notes } = MODULES.loadConfig(directory, process.env);
      const file = readSettingsFile(MODULES.sections, directory, config.settings.file);
      // Only here: no other command needs it.
      const { examine } = await import('../doctor/doctor.js');
      const findings = await examine({
        modules: MODULES,
        config,
        warnings: [...warnings, ...file.warnings],
        notes,
        settings: file.settings,
        fileFaults: file.faults,
      });
      const troubles = findings.filter(({ state }) => state === 'trouble').length;
      if (options.json) printJson({ healthy: troubles === 0, findings });
      else {
        printTable(
          ['PART', 'CHECK', 'STATE', 'DETAIL'],
          findings.map(({ part, check, state, detail }) => [part, check, state, detail]),
        );
        printLine(troubles === 0 ? 'healthy' : `${troubles} × trouble`);
      }
      if (troubles > 0) process.exitCode = FINDING;
    });
}
