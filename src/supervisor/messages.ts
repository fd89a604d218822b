import type { Readiness } from '../observability/health-routes';

/** What a worker knows of itself, when its supervisor asks. */
export interface WorkerReport {
  /** As the registry gives it for aggregation. */
  readonly metrics: readonly MetricJson[];
  readonly readiness: Readiness;
}

/** One metric of one process, as prom-client aggregates it. */
export interface MetricJson {
  readonly name: string;
  readonly type: unknown;
}

export type ToWorker =
  | { readonly kind: 'report'; readonly id: number }
  | { readonly kind: 'drain' }
  /** At once, whatever is under way. */
  | { readonly kind: 'end' };

export type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'reported'; readonly id: number; readonly report: WorkerReport };

/** Both sides are this program: the kind says what is in it. */
export function isMessage(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
