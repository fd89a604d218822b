import type { HealthChange, HealthObserver } from '../health/health-board';
import type { Logger } from '../observability/logging';
import type { CircuitFault } from '../pipeline/circuit';

/** One line when a destination turns bad or recovers, at the worker that found out. */
export class HealthLog implements HealthObserver {
  constructor(private readonly log: Logger) {}

  failing(change: HealthChange, { code, status }: CircuitFault): void {
    this.log.warn('destination fails: its circuit opened', { ...change, code, status });
  }

  suspended(change: HealthChange, { code, status, gone }: CircuitFault): void {
    const why = gone ? 'it says that it is gone' : 'nothing has succeeded for too long';
    this.log.error(`destination suspended: ${why}`, { ...change, code, status });
  }

  recovered(change: HealthChange, failedMs: number): void {
    this.log.warn('destination recovered: its circuit closed', {
      ...change,
      failedSeconds: Math.round(failedMs / 1000),
    });
  }
}
