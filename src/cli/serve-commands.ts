import { Command, Option } from 'commander';
import type { Place } from '../supervisor/place';
import type { PartName } from './prepare';

/** How the process comes into being; the last two only where a supervisor starts it. */
interface ServeOptions<Supervised> {
  readonly processes?: string;
  readonly supervised?: Supervised;
  readonly configOnly?: boolean;
}

export function startCommand(): Command {
  return new Command('start')
    .description('run worker and gateway, in one process or under one supervisor')
    .option(
      '--processes <count>',
      'this many workers and a gateway, as processes under one supervisor; auto: one worker for each processor',
    )
    .addOption(configOnly())
    .action((options: ServeOptions<never>) => run(['gateway', 'worker'], options));
}

export function workerCommand(): Command {
  return new Command('worker')
    .description('consume, deliver and retry')
    .option(
      '--processes <count>',
      'that many workers under one supervisor, with one port and one log; auto: one for each processor',
    )
    .addOption(new Option('--supervised <number>').argParser(Number).hideHelp())
    .addOption(configOnly())
    .action(({ supervised, ...options }: ServeOptions<number>) =>
      run(['worker'], options, supervised === undefined ? undefined : { part: 'worker', number: supervised }),
    );
}

export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('serve HTTP: settings, WebSockets, operations')
    .addOption(new Option('--supervised').hideHelp())
    .action(({ supervised, ...options }: ServeOptions<boolean>) =>
      run(['gateway'], options, supervised === true ? { part: 'gateway' } : undefined),
    );
}

/** For a supervisor, which does without what checking a configuration takes. */
function configOnly(): Option {
  return new Option('--config-only').hideHelp();
}

/** Each way loads what it needs alone: a supervisor needs little, and is there for as long as its workers are. */
async function run(
  parts: readonly PartName[],
  { processes, configOnly }: ServeOptions<unknown>,
  supervised?: Place,
): Promise<void> {
  if (configOnly === true) return (await import('./config-only.js')).checkForSupervisor(parts);
  if (processes !== undefined) return (await import('./supervise.js')).supervise(processes, parts);
  return (await import('./serve.js')).serve(parts, supervised);
}
