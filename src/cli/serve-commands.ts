import { Command } from 'commander';
import type { Config } from '../config/config';
import { ConfigError, errorText } from '../errors';
import { MODULES } from '../modules';
import { createLogger, type Logger } from '../observability/logging';
import { Metrics } from '../observability/metrics';
import { type FileFault, readSettingsFile } from '../settings/settings-file';
import { openTracing } from '../tracing/open-tracing';
import { RelayWorker } from '../worker/worker';
import { FINDING } from './exit';
import { logNodeWarnings } from './node-warnings';

/** Entries that are named one by one. */
const MAX_FAULTS = 20;

/** A part of the relay that runs until it is told to stop. */
interface Part {
  start(): Promise<void>;
  /** Resolves to whether everything was settled. */
  stop(): Promise<boolean>;
}

type PartName = 'worker' | 'gateway';

export function startCommand(): Command {
  return new Command('start')
    .description('run worker and gateway in one process')
    .action(() => serve(['gateway', 'worker']));
}

export function workerCommand(): Command {
  return new Command('worker').description('consume, deliver and retry').action(() => serve(['worker']));
}

export function gatewayCommand(): Command {
  return new Command('gateway')
    .description('serve HTTP: settings, WebSockets, operations')
    .action(() => serve(['gateway']));
}

/** Starts the parts in their order, and stops them in reverse. */
async function serve(names: readonly PartName[]): Promise<void> {
  const directory = process.cwd();
  const { config, warnings, notes } = MODULES.loadConfig(directory, process.env);
  // A gateway beside it has something to do: the core API's own example of a .env, where all sources are off, starts.
  const idle = names.includes('gateway') && names.includes('worker') ? withoutSource(config) : [];
  const problems = names.flatMap((name) => missingFor(name, config)).filter((line) => !idle.includes(line));
  if (problems.length > 0) throw new ConfigError(problems);
  const file = readSettingsFile(MODULES.sections, directory, config.settings.file);
  const metrics = new Metrics();
  const log = createLogger(config.log, { onDropped: () => metrics.logLinesDropped.add() });
  logNodeWarnings(log);
  for (const warning of [...warnings, ...idle, ...file.warnings]) log.warn(warning);
  logFaults(file.faults, log);
  for (const note of notes) log.info(note);
  // Until everything is settled: a process that ends in any other way has not done its work.
  process.exitCode = FINDING;
  const options = {
    modules: MODULES,
    config,
    settings: file.settings,
    fileFaults: file.faults,
    metrics,
    log,
  };
  let stopped: Promise<void>;
  try {
    const parts = await Promise.all(
      names.map((name) => (name === 'worker' ? workerPart(options) : gatewayPart(options))),
    );
    // Signals count from here on: one that comes while the parts start ends them just as well.
    stopped = stopOnSignal([...parts].reverse(), log);
    for (const part of parts) await part.start();
  } catch (error) {
    // Nothing is consumed yet, so there is nothing to drain; what is open must not keep the process alive.
    setImmediate(() => process.exit());
    throw error;
  }
  await stopped;
}

/** Instances whose entries are left out; the doctor names all of them. */
function logFaults(faults: readonly FileFault[], log: Logger): void {
  for (const { error } of faults.slice(0, MAX_FAULTS))
    log.error('settings of an instance cannot be read: its events wait', {
      code: error.code,
      error: error.reason,
      ...(error.instance === '' ? {} : { instance: error.instance }),
    });
  const left = faults.length - MAX_FAULTS;
  if (left > 0)
    log.error('settings of further instances cannot be read: `doctor` names them', { count: left });
}

/** What a part cannot do without. */
function missingFor(name: PartName, config: Config): string[] {
  if (name === 'gateway') {
    return config.gateway.apiKey === ''
      ? ['AUTHENTICATION_API_KEY: must be set, such as the output of: openssl rand -hex 24']
      : [];
  }
  return withoutSource(config);
}

function withoutSource(config: Config): string[] {
  if (MODULES.sources.some((source) => source.isEnabled(config))) return [];
  const ways = MODULES.sources.map(({ switchedOnBy }) => switchedOnBy).join(', or ');
  return [`${ways}: there is no source to consume from`];
}

type PartOptions = ConstructorParameters<typeof RelayWorker>[0];

async function workerPart(options: PartOptions): Promise<Part> {
  warnOfNothingGlobal(options);
  const tracing = await openTracing(options.config.tracing, options.log);
  return new RelayWorker({ ...options, tracing });
}

function warnOfNothingGlobal({ modules, config, log }: PartOptions): void {
  const globals = modules.destinations.flatMap(({ global }) => global ?? []);
  if (globals.some((global) => global.isSet(config))) return;
  const names = globals.map(({ name }) => name).join(' nor ');
  log.warn(
    `neither ${names} is set: events of instances without a destination of their own go nowhere and are dropped`,
  );
}

async function gatewayPart(options: PartOptions): Promise<Part> {
  // Only here: a worker alone needs neither the gateway's own routes nor its WebSockets.
  const { RelayGateway } = await import('../gateway/gateway.js');
  const gateway = new RelayGateway(options);
  return {
    start: () => gateway.start(),
    stop: async () => {
      await gateway.stop();
      return true;
    },
  };
}

/** The first SIGTERM or SIGINT drains, a second one ends the process at once. */
function stopOnSignal(parts: readonly Part[], log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++;
      log.info('signal', { signal });
      if (signals > 1) process.exit(FINDING);
      stopAll(parts).then(
        (settled) => {
          // A connection that cannot be closed must not keep a drained process alive.
          process.exitCode = settled ? 0 : FINDING;
          resolve();
          setImmediate(() => process.exit());
        },
        (error: unknown) => {
          log.error('drain failed', { error: errorText(error) });
          process.exit(FINDING);
        },
      );
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

async function stopAll(parts: readonly Part[]): Promise<boolean> {
  let settled = true;
  for (const part of parts) settled = (await part.stop()) && settled;
  return settled;
}
