import { Command } from 'commander';
import { RelayWorker } from '../app/worker';
import type { Config } from '../config/config';
import { loadConfig } from '../config/load';
import { ConfigError } from '../errors';
import { createLogger, type Logger } from '../observability/logging';
import { readSettingsFile } from '../settings/file';
import { FINDING } from './exit';

const NO_GLOBAL_WEBHOOK =
  'WEBHOOK_GLOBAL_URL is not set: events of instances without a webhook of their own go nowhere and are dropped';

export function workerCommand(): Command {
  return new Command('worker').alias('start').description('consume, deliver and retry').action(runWorker);
}

async function runWorker(): Promise<void> {
  const directory = process.cwd();
  const { config, warnings } = loadConfig(directory, process.env);
  requireSource(config);
  const file = readSettingsFile(directory, config.settings.file);
  const log = createLogger(config.log);
  for (const warning of [...warnings, ...file.warnings]) log.warn(warning);
  if (config.globalWebhook === undefined) log.warn(NO_GLOBAL_WEBHOOK);
  const worker = new RelayWorker({ config, settings: file.settings, log });
  // Signals count from here on: one that comes while the worker starts ends it just as well.
  const stopped = stopOnSignal(worker, log);
  try {
    await worker.start();
  } catch (error) {
    // Nothing is consumed yet, so there is nothing to drain; what is open must not keep the process alive.
    setImmediate(() => process.exit());
    throw error;
  }
  await stopped;
}

/** A worker without a source would idle. */
function requireSource(config: Config): void {
  if (config.rabbitmq.enabled) return;
  throw new ConfigError([
    'RABBITMQ_ENABLED: must be true, with RABBITMQ_URI set: there is no source to consume from',
  ]);
}

/** The first SIGTERM or SIGINT drains, a second one ends the process at once. */
function stopOnSignal(worker: RelayWorker, log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: NodeJS.Signals): void => {
      signals++;
      log.info('signal', { signal });
      if (signals > 1) process.exit(FINDING);
      worker.stop().then(
        (settled) => {
          // A connection that cannot be closed must not keep a drained process alive.
          process.exitCode = settled ? 0 : FINDING;
          resolve();
          setImmediate(() => process.exit());
        },
        (error: unknown) => {
          log.error('drain failed', { error: error instanceof Error ? error.message : String(error) });
          process.exit(FINDING);
        },
      );
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
