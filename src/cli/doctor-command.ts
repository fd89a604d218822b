import { Command } from 'commander';
import { ConfigError } from '../errors';
import { MODULES } from '../modules';
import type { Finding } from '../observability/finding';
import { readSettingsFile } from '../settings/settings-file';
import { FINDING } from './exit';
import { printJson, printLine, printTable } from './output';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check that everything configured can be reached and fits; changes nothing')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const directory = process.cwd();
      const { config, warnings, notes } = configFor(directory, options.json === true);
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

/** Programs that read its JSON find there, too, what is wrong in the configuration. @throws ConfigError */
function configFor(directory: string, isJson: boolean): ReturnType<typeof MODULES.loadConfig> {
  try {
    return MODULES.loadConfig(directory, process.env);
  } catch (error) {
    if (isJson && error instanceof ConfigError) printJson({ healthy: false, findings: findingsOf(error) });
    throw error;
  }
}

function findingsOf({ problems }: ConfigError): Finding[] {
  return problems.map((detail) => ({ part: 'configuration', check: 'variables', state: 'trouble', detail }));
}
