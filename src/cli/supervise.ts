import { fork } from 'node:child_process';
import type { Config } from '../config/config';
import { hostAndPort } from '../config/url';
import { listenWhile } from '../network/guarded-fastify';
import { createLineOutput, formOf, type Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import { eachLine } from '../supervisor/line-output';
import { type Place, placesOf } from '../supervisor/place';
import { MAX_PROCESSES, processCount } from '../supervisor/process-count';
import { Supervisor } from '../supervisor/supervisor';
import { createHttpServer } from '../worker/metrics-server';
import { FINDING, UsageError } from './exit';
import { prepare } from './prepare';
import { eachSignal } from './signals';

/** Beyond what workers take to drain, until they are ended. */
export const BEYOND_DRAIN_MS = 5000;

/**
 * Runs several workers as processes of their own, and answers for all of them; with a gateway, one more process serves it.
 *
 * @throws UsageError, ConfigError
 */
export async function supervise(
  processes: string,
  { withGateway }: { readonly withGateway: boolean },
): Promise<void> {
  const count = processCount(processes);
  if (count === undefined)
    throw new UsageError(`--processes: must be auto, or a whole number from 1 to ${MAX_PROCESSES}`);
  const { config, log, metrics } = prepare(withGateway ? ['gateway', 'worker'] : ['worker']);
  process.exitCode = FINDING;
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

/** All write into the supervisor's log, in the form that it has. */
function forkFor(
  config: Config,
  log: Logger,
  onDropped: () => void,
): (place: Place) => ReturnType<typeof fork> {
  const output = createLineOutput({
    onDropped,
    onRecovered: (dropped) => log.warn('standard output takes log lines of workers again', { dropped }),
  });
  const program = process.argv[1] ?? '';
  return (place) => {
    const own = place.part === 'worker' ? [String(place.number)] : [];
    const child = fork(program, [place.part, '--supervised', ...own], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env: { ...process.env, LOG_FORMAT: formOf(config.log) },
    });
    if (child.stdout !== null) eachLine(child.stdout, (line) => output.write(line));
    return child;
  };
}
