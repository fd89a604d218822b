import { fork } from 'node:child_process';
import { hostAndPort } from '../config/url';
import { listenWhile } from '../network/guarded-fastify';
import { createLineOutput, createLogger, formOf, type Logger } from '../observability/logging';
import { Metrics } from '../observability/metrics';
import { describeError } from '../observability/report';
import { checkedBy, type SupervisorConfig } from '../supervisor/config-check';
import { eachLine } from '../supervisor/line-output';
import { type Place, placesOf } from '../supervisor/place';
import { MAX_PROCESSES, processCount } from '../supervisor/process-count';
import { Supervisor } from '../supervisor/supervisor';
import { createHttpServer } from '../worker/metrics-server';
import { FINDING, USAGE, UsageError } from './exit';
import { logNodeWarnings } from './node-warnings';
import type { PartName } from './prepare';
import { eachSignal } from './signals';

/** Beyond what workers take to drain, until they are ended. */
export const BEYOND_DRAIN_MS = 5000;

/**
 * Runs several workers as processes of their own, and answers for all of them; with a gateway, one more process serves it.
 *
 * @throws UsageError, ConfigError
 */
export async function supervise(processes: string, parts: readonly PartName[]): Promise<void> {
  const count = processCount(processes);
  if (count === undefined)
    throw new UsageError(`--processes: must be auto, or a whole number from 1 to ${MAX_PROCESSES}`);
  process.exitCode = FINDING;
  const withGateway = parts.includes('gateway');
  const config = await check(withGateway ? 'start' : 'worker');
  if (config === undefined) return;
  const metrics = new Metrics();
  const log = createLogger(config.log, { onDropped: () => metrics.logLinesDropped.add() });
  logNodeWarnings(log);
  const supervisor = new Supervisor({
    places: placesOf(count, withGateway),
    fork: forkFor(config, log, () => metrics.logLinesDropped.add()),
    log,
    sharedMetrics: metrics.logLinesDropped.counters,
    drainMs: config.shutdownTimeoutMs + BEYOND_DRAIN_MS,
  });
  const server = createHttpServer({
    onRefused: (counts) => log.warn('connections refused at the metrics port', counts),
    onError: (error) => log.error('the metrics port failed', describeError(error)),
    registry: supervisor.metrics,
    readiness: () => supervisor.readiness(),
  });
  const { host, port } = config.metrics;
  await listenWhile(server, { host, port, variables: 'METRICS_PORT, METRICS_HOST' }, () => true);
  log.info('supervisor started', { processes: count, metrics: `http://${hostAndPort(host, port)}/metrics` });
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

/**
 * Undefined where the configuration is wrong, or the process that checks it fails. Either has said why.
 *
 * @throws Error where that process cannot be started, or ends without a word
 */
async function check(command: string): Promise<SupervisorConfig | undefined> {
  const checker = fork(program(), [command, '--config-only'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const result = await checkedBy(checker);
  if (result.kind === 'good') return result.config;
  const { code, signal } = result;
  if (code === null || code === 0)
    throw new Error(`the process that checks the configuration ended (${signal ?? code}) without a result`);
  process.exitCode = code === USAGE ? USAGE : FINDING;
  return undefined;
}

function program(): string {
  return process.argv[1] ?? '';
}

/** All write into the supervisor's log, in the form that it has. */
function forkFor(
  config: SupervisorConfig,
  log: Logger,
  onDropped: () => void,
): (place: Place) => ReturnType<typeof fork> {
  const output = createLineOutput({
    onDropped,
    onRecovered: (dropped) => log.warn('standard output takes log lines of workers again', { dropped }),
  });
  return (place) => {
    const own = place.part === 'worker' ? [String(place.number)] : [];
    const child = fork(program(), [place.part, '--supervised', ...own], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, LOG_FORMAT: formOf(config.log) },
    });
    if (child.stdout !== null) eachLine(child.stdout, (line) => output.write(line));
    return child;
  };
}
