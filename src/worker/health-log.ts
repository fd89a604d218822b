import type { HealthChange, HealthObserver } from '../health/health-board';
import type { Rejection } from '../health/rejection-run';
import type { RejectionChange, RejectionObserver } from '../health/rejections';
import type { Logger } from '../observability/logging';
import type { CircuitFault } from '../pipeline/circuit';

/** One line when a destination turns bad or recovers, at the worker that found out. */
export class HealthLog implements HealthObserver, RejectionObserver {
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

  rejecting(change: RejectionChange, { code, status }: Rejection): void {
    const text = 'destination rejects everything: its events become dead letters';
    this.log.warn(text, { ...change, code, status });
  }

  rejectingOver(change: RejectionChange, end: 'delivered' | 'changed', rejectedMs: number): void {
    const why = end === 'delivered' ? 'it took a delivery' : 'it has another address';
    this.log.warn(`destination recovered: ${why}`, {
      ...change,
      rejectedSeconds: Math.round(rejectedMs / 1000),
    });
  }
}
