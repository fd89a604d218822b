import { Command, CommanderError } from 'commander';
import { ConfigError, errorText } from '../errors';
import { VERSION } from '../version';
import { type ExitCode, FINDING, USAGE, UsageError } from './exit';
import { complain, complainLines, printText, watchOutput } from './output';

/** Each with what it needs: a worker has no use for the rest, and starts sooner and smaller without it. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import('./serve-commands.js')).startCommand(),
  worker: async () => (await import('./serve-commands.js')).workerCommand(),
  gateway: async () => (await import('./serve-commands.js')).gatewayCommand(),
  publish: async () => (await import('./publish-command.js')).publishCommand(),
  config: async () => (await import('./config-command.js')).configCommand(),
  settings: async () => (await import('./settings-command.js')).settingsCommand(),
  parked: async () => (await import('./parked-command.js')).parkedCommand(),
  'dead-letters': async () => (await import('./dead-letters-command.js')).deadLettersCommand(),
  deliveries: async () => (await import('./deliveries-command.js')).deliveriesCommand(),
  destinations: async () => (await import('./destinations-command.js')).destinationsCommand(),
  replays: async () => (await import('./replays-command.js')).replaysCommand(),
  audit: async () => (await import('./audit-command.js')).auditCommand(),
  alerts: async () => (await import('./alerts-command.js')).alertsCommand(),
  listen: async () => (await import('./listen-command.js')).listenCommand(),
  doctor: async () => (await import('./doctor-command.js')).doctorCommand(),
};

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
  for (const command of await commandsFor(argv)) {
    for (const each of [command, ...command.commands]) each.exitOverride().configureOutput(OUTPUT);
    program.addCommand(command);
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** The one that is asked for, or all of them where it is unclear which: help lists them. */
function commandsFor([, , name = '']: readonly string[]): Promise<Command[]> {
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  return Promise.all(wanted.flatMap((load) => load?.() ?? []));
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
