import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

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

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  countRestart(): void {
    this.restarts.inc();
  }

  setProcesses(running: number, missing: number): void {
    this.processes.set({ state: 'running' }, running);
    this.processes.set({ state: 'missing' }, missing);
  }
}
