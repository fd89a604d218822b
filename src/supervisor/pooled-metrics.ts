import { AggregatorRegistry, type MetricObject, Registry } from 'prom-client';
import type { MetricJson } from './messages';

/**
 * The metrics of several processes as those of one. Counters of a worker that is gone are kept: their sum would fall
 * otherwise, which Prometheus takes for a restart of everything.
 */
export class PooledMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  private departed: readonly MetricJson[] = [];

  constructor(
    /** Of the supervisor itself. */
    private readonly own: Registry,
    private readonly ofWorkers: () => Promise<readonly (readonly MetricJson[])[]>,
  ) {}

  /** In the text form that Prometheus reads. */
  async metrics(): Promise<string> {
    const workers = await this.ofWorkers();
    return pooled([...workers, this.departed, await this.own.getMetricsAsJSON()]).metrics();
  }

  /** A worker has ended that reported this last. */
  async depart(last: readonly MetricJson[]): Promise<void> {
    const counted = last.filter(({ type }) => type === 'counter' || type === 'histogram');
    this.departed = await pooled([this.departed, counted]).getMetricsAsJSON();
  }
}

function pooled(all: readonly (readonly (MetricJson | MetricObject)[])[]): Registry {
  return AggregatorRegistry.aggregate(all.filter((metrics) => metrics.length > 0).map((each) => [...each]));
}
