import { MODULES } from '../modules';
import type { Readiness } from '../observability/health-routes';
import type { Logger } from '../observability/logging';
import type { Metrics } from '../observability/metrics';
import { growWithWork, optimiseSoon, releaseAfterLoading } from '../startup/v8-flags';
import type { Place } from '../supervisor/place';
import { SupervisorLink } from '../supervisor/supervisor-link';
import { openTracing } from '../tracing/open-tracing';
import type { WorkerOptions } from '../worker/worker-options';
import { FINDING } from './exit';
import { PartsEnding, type Stoppable } from './parts-ending';
import { type PartName, prepare } from './prepare';
import { eachSignal } from './signals';

/** A part of the relay that runs until it is stopped. */
interface Part extends Stoppable {
  readonly readiness?: Readiness;
  start(): Promise<void>;
}

/**
 * Starts the parts in their order, and stops them in reverse.
 *
 * @throws ConfigError
 */
export async function serve(names: readonly PartName[], supervised?: Place): Promise<void> {
  const { config, file, metrics, log } = prepare(names, supervised);
  // Until everything is settled: a process that ends in any other way has not done its work.
  process.exitCode = FINDING;
  let ending: PartsEnding | undefined;
  const options = {
    modules: MODULES,
    config,
    settings: file.settings,
    fileFaults: file.faults,
    metrics,
    log,
    supervised: supervised?.part === 'worker' ? supervised.number : undefined,
    onUnusable: () => ending?.fail(),
  };
  let stopped: Promise<void>;
  try {
    const parts = await Promise.all(
      names.map((name) => (name === 'worker' ? workerPart(options) : gatewayPart(options))),
    );
    // Signals count from here on: one that comes while the parts start ends them just as well.
    ending = new PartsEnding([...parts].reverse(), log);
    stopped = ending.done;
    const link = supervised === undefined ? onSignals(ending, log) : onSupervisor(ending, parts, metrics);
    releaseAfterLoading();
    optimiseSoon();
    for (const part of parts) await part.start();
    growWithWork();
    link?.sayStarted();
  } catch (error) {
    // Nothing is consumed yet, so there is nothing to drain; what is open must not keep the process alive.
    setImmediate(() => process.exit());
    throw error;
  }
  await stopped;
}

async function workerPart(options: WorkerOptions): Promise<Part> {
  // Only here: a gateway alone does not need it.
  const { RelayWorker } = await import('../worker/worker.js');
  const tracing = await openTracing(options.config.tracing, options.log);
  return new RelayWorker({ ...options, tracing });
}

async function gatewayPart(options: WorkerOptions): Promise<Part> {
  // Only here: a worker alone needs neither the gateway's own routes nor its WebSockets.
  const { RelayGateway } = await import('../gateway/gateway.js');
  const gateway = new RelayGateway(options);
  return {
    get readiness() {
      return gateway.readiness;
    },
    start: () => gateway.start(),
    stop: async () => {
      await gateway.stop();
      return true;
    },
  };
}

/** The first SIGTERM or SIGINT drains, a second one ends the process at once. */
function onSignals(ending: PartsEnding, log: Logger): undefined {
  let signals = 0;
  eachSignal((signal) => {
    signals++;
    log.info('signal', { signal });
    if (signals > 1) process.exit(FINDING);
    ending.begin();
  });
}

/** Signals may come to all processes of a group, from a terminal or systemd: they drain, and the supervisor says when to end at once. */
function onSupervisor(ending: PartsEnding, parts: readonly Part[], metrics: Metrics): SupervisorLink {
  const link = new SupervisorLink({
    report: async () => ({
      metrics: await metrics.registry.getMetricsAsJSON(),
      readiness: parts.flatMap(({ readiness }) => readiness ?? [])[0] ?? { ready: true, parts: {} },
    }),
    onDrain: () => ending.begin(),
    onEnd: () => process.exit(FINDING),
  });
  eachSignal(() => ending.begin());
  return link;
}
