import { Command, CommanderError } from 'commander';
import { ConfigError, errorCode } from '../errors';
import { VERSION } from '../version';
import { auditCommand } from './audit-command';
import { configCommand } from './config-command';
import { deadLettersCommand } from './dead-letters-command';
import { doctorCommand } from './doctor-command';
import { type ExitCode, FINDING, USAGE, UsageError } from './exit';
import { publishCommand } from './publish-command';
import { gatewayCommand, startCommand, workerCommand } from './serve-commands';
import { settingsCommand } from './settings-command';

/** Parses the command line, runs the command, and sets the exit code (interface.md, The command line). */
export async function run(argv: readonly string[]): Promise<void> {
  // Whoever reads our output has seen enough (`| head`).
  process.stdout.on('error', () => process.exit());
  const program = new Command('evolution-relay')
    .description('Relays Evolution API events to webhooks: lossless, with retries that survive restarts.')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError();
  for (const command of [
    startCommand(),
    workerCommand(),
    gatewayCommand(),
    publishCommand(),
    configCommand(),
    settingsCommand(),
    deadLettersCommand(),
    auditCommand(),
    doctorCommand(),
  ]) {
    command.exitOverride();
    for (const sub of command.commands) sub.exitOverride();
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
    process.stderr.write(`${error.message}\n`);
    return USAGE;
  }
  const text = error instanceof Error ? error.message || errorCode(error) : String(error);
  process.stderr.write(`evolution-relay: ${text}\n`);
  return error instanceof UsageError ? USAGE : FINDING;
}
