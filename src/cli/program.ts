import { Command, CommanderError } from 'commander';
import { ConfigError, errorText } from '../errors';
import { VERSION } from '../version';
import { alertsCommand } from './alerts-command';
import { auditCommand } from './audit-command';
import { configCommand } from './config-command';
import { deadLettersCommand } from './dead-letters-command';
import { deliveriesCommand } from './deliveries-command';
import { destinationsCommand } from './destinations-command';
import { doctorCommand } from './doctor-command';
import { type ExitCode, FINDING, USAGE, UsageError } from './exit';
import { listenCommand } from './listen-command';
import { complain, complainLines, printText, watchOutput } from './output';
import { parkedCommand } from './parked-command';
import { publishCommand } from './publish-command';
import { replaysCommand } from './replays-command';
import { gatewayCommand, startCommand, workerCommand } from './serve-commands';
import { settingsCommand } from './settings-command';

const OUTPUT = { writeOut: printText, writeErr: complainLines };

/** Parses the command line, runs the command, and sets the exit code (listed in `cli/exit.ts`). */
export async function run(argv: readonly string[]): Promise<void> {
  watchOutput();
  const program = new Command('evolution-relay')
    .description('Relays Evolution API events to webhooks: lossless, with retries that survive restarts.')
    .version(VERSION)
    .exitOverride()
    .configureOutput(OUTPUT)
    .showHelpAfterError();
  for (const command of [
    startCommand(),
    workerCommand(),
    gatewayCommand(),
    publishCommand(),
    configCommand(),
    settingsCommand(),
    parkedCommand(),
    deadLettersCommand(),
    deliveriesCommand(),
    destinationsCommand(),
    replaysCommand(),
    auditCommand(),
    alertsCommand(),
    listenCommand(),
    doctorCommand(),
  ]) {
    for (const each of [command, ...command.commands]) each.exitOverride().configureOutput(OUTPUT);
    program.addCommand(command);
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

function report(error: unknown): ExitCode {
  // Commander has written its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (error instanceof ConfigError) {
    complainOf('wrong configuration:', error.problems);
    return USAGE;
  }
  complainOf(`evolution-relay: ${errorText(error)}`, error instanceof UsageError ? error.details : []);
  return error instanceof UsageError ? USAGE : FINDING;
}

function complainOf(what: string, details: readonly string[]): void {
  complain(what);
  for (const detail of details) complain(`  - ${detail}`);
}
