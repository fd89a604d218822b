import { hostAndPort } from '../config/url';
import { StateMachine } from '../lifecycle/state-machine';
import type { Readiness } from '../observability/health-routes';
import { describeError } from '../observability/report';
import { checkRedis } from '../redis/client';
import { warnOfClearSettings } from '../settings/clear-settings';
import { composeWorker, type WorkerParts } from './compose';
import { drain } from './drain';
import type { WorkerOptions } from './worker-options';
import { WORKER_TRANSITIONS, type WorkerState } from './worker-states';

/** Consumes, delivers and retries: starts its parts in order (compose.ts), and drains them (drain.ts). */
export class RelayWorker {
  private readonly parts: WorkerParts;
  private readonly machine: StateMachine<WorkerState>;
  private stopping: Promise<boolean> | undefined;

  constructor(private readonly options: WorkerOptions) {
    this.parts = composeWorker(options);
    this.machine = new StateMachine<WorkerState>({
      name: 'worker',
      initial: 'idle',
      transitions: WORKER_TRANSITIONS,
      log: options.log,
    });
  }

  get readiness(): Readiness {
    return this.parts.readiness();
  }

  /**
   * Resolves when everything runs or, where a broker or Redis is away, waits for it; or when it was stopped meanwhile.
   * Called again, it does nothing.
   *
   * @throws StoreUnavailableError where a later version of the relay stored what lies in Redis
   */
  async start(): Promise<void> {
    if (!this.machine.move('starting')) return;
    const { storage, settings, destinations, health, healthSummary, retries, gauges } = this.parts;
    const { silences, sources, relay, copies, alerting, lids } = this.parts;
    storage.health.start();
    if (!(await this.listen())) return;
    await storage.health.firstBeat();
    if (!this.machine.is('starting')) return;
    void this.checkOnce();
    settings.start();
    destinations.start();
    health.start();
    healthSummary.start();
    retries.start();
    gauges.start();
    silences.start();
    alerting.start();
    lids.start();
    copies.start();
    await sources.start((source, message) => {
      if (message.copy !== 'ordered') relay.handle(source, message);
      else copies.take(message, () => relay.handle(source, message));
    });
    if (!this.machine.move('running')) return;
    const { host, port } = this.options.config.metrics;
    const metrics = `http://${hostAndPort(host, port)}/metrics`;
    this.options.log.info('worker started', this.options.supervised !== undefined ? {} : { metrics });
  }

  /** Drains and stops; true when everything was settled before the deadline. Further calls wait for the first. */
  stop(): Promise<boolean> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<boolean> {
    this.machine.move('draining');
    const isSettled = await drain(this.parts, this.options.config.shutdownTimeoutMs);
    this.machine.move('closed');
    return isSettled;
  }

  /** False where it was stopped meanwhile. */
  private async listen(): Promise<boolean> {
    if (this.options.supervised !== undefined) return true;
    const address = { ...this.options.config.metrics, variables: 'METRICS_PORT, METRICS_HOST' };
    return this.parts.metricsPort.open(address, () => this.machine.is('starting'));
  }

  /** Looks once at what an operator should know about Redis and what lies there, when it can be reached first. */
  private async checkOnce(): Promise<void> {
    const { config, log } = this.options;
    const { store, redis, settingsStore } = this.parts.storage;
    try {
      await store.waitUntilReady();
      await checkRedis(redis.commands, log);
      await warnOfClearSettings(config, settingsStore, log);
    } catch (error) {
      log.warn('redis cannot be checked', describeError(error));
    }
  }
}
