import { fork } from 'node:child_process';
import type { Config } from '../config/config';
import { ConfigError, errorCode } from '../errors';
import { listenWhile } from '../network/guarded-fastify';
import { createLineOutput, formOf, type Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import { eachLine } from '../supervisor/line-output';
import { MAX_PROCESSES, processCount } from '../supervisor/process-count';
import { Supervisor } from '../supervisor/supervisor';
import { createHttpServer } from '../worker/metrics-server';
import { FINDING, UsageError } from './exit';
import { prepare } from './prepare';
import { eachSignal } from './signals';

/** Beyond what workers take to drain, until they are ended. */
export const BEYOND_DRAIN_MS = 5000;

/** Runs several workers as processes of their own, and answers for all of them. @throws UsageError, ConfigError */
export async function supervise(processes: string): Promise<void> {
  const count = processCount(processes);
  if (count === undefined)
    throw new UsageError(`--processes: must be auto, or a whole number from 1 to ${MAX_PROCESSES}`);
  const { config, log } = prepare(['worker']);
  process.exitCode = FINDING;
  const supervisor = new Supervisor({
    count,
    fork: forkFor(config, log),
    log,
    drainMs: config.shutdownTimeoutMs + BEYOND_DRAIN_MS,
  });
  const server = createHttpServer({
    onRefused: (counts) => log.warn('connections refused at the metrics port', counts),
    onError: (error) => log.error('the metrics port failed', describeError(error)),
    registry: supervisor.metrics,
    readiness: () => supervisor.readiness(),
  });
  await listen(server, config);
  const { host, port } = config.metrics;
  log.info('supervisor started', { processes: count, metrics: `http://${host}:${port}/metrics` });
  let signals = 0;
  eachSignal((signal) => {
    signals++;
    log.info('signal', { signal });
    if (signals === 1) supervisor.drain();
    else supervisor.endNow();
  });
  supervisor.start();
  const code = await supervisor.ended;
  process.exitCode = code;
  // Connections that are kept open must not keep a process alive whose work is done.
  setImmediate(() => process.exit());
}

async function listen(server: ReturnType<typeof createHttpServer>, config: Config): Promise<void> {
  const { host, port } = config.metrics;
  try {
    await listenWhile(server, { host, port }, () => true);
  } catch (error) {
    const problem = `METRICS_PORT, METRICS_HOST: ${host}:${port} cannot be listened on (${errorCode(error)}): name a free port`;
    throw new ConfigError([problem], { cause: error });
  }
}

/** Workers write into the supervisor's log, in the form that it has. */
function forkFor(config: Config, log: Logger): (number: number) => ReturnType<typeof fork> {
  const output = createLineOutput((dropped) =>
    log.warn('standard output takes log lines of workers again', { dropped }),
  );
  const program = process.argv[1] ?? '';
  return (number) => {
    const child = fork(program, ['worker', '--supervised', String(number)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, LOG_FORMAT: formOf(config.log) },
    });
    if (child.stdout !== null) eachLine(child.stdout, (line) => output.write(line));
    return child;
  };
}
