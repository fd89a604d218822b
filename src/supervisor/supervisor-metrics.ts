import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';

/** What only the supervisor knows (docs/operations.md#metrics). */
export class SupervisorMetrics {
  readonly registry = new Registry();
  private readonly processes = new Gauge({
    name: 'relay_worker_processes',
    help: 'Worker processes under this supervisor',
    labelNames: ['state'],
    registers: [this.registry],
  });
  private readonly restarts = new Counter({
    name: 'relay_worker_restarts_total',
    help: 'Worker processes that ended although nobody asked for it',
    registers: [this.registry],
  });

  /** @param shared what it counts as its workers do */
  constructor(shared: readonly Metric[]) {
    collectDefaultMetrics({ register: this.registry });
    for (const metric of shared) this.registry.registerMetric(metric);
  }

  countRestart(): void {
    this.restarts.inc();
  }

  setProcesses(counts: Readonly<Record<'running' | 'silent' | 'missing', number>>): void {
    for (const [state, count] of Object.entries(counts)) this.processes.set({ state }, count);
  }
}
