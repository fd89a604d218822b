import { AggregatorRegistry, type MetricObject, Registry } from 'prom-client';
import type { MetricJson } from './messages';

/**
 * The metrics of several processes as those of one. Counters of a worker that is gone are kept: their sum would fall
 * otherwise, which Prometheus takes for a restart of everything.
 */
export class PooledMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  /** One after the other: each adds to what those before left. */
  private departed: Promise<readonly MetricJson[]> = Promise.resolve([]);

  constructor(
    /** Of the supervisor itself. */
    private readonly own: Registry,
    private readonly ofWorkers: () => Promise<readonly (readonly MetricJson[])[]>,
  ) {}

  /** In the text form that Prometheus reads. */
  async metrics(): Promise<string> {
    const workers = await this.ofWorkers();
    // As of this moment: a worker that ends from here on is among those that are asked.
    const { departed } = this;
    return pooled([...workers, await departed, await this.own.getMetricsAsJSON()]).metrics();
  }

  /** A worker has ended that reported this last; from now on it must not be among the workers. */
  async depart(last: readonly MetricJson[]): Promise<void> {
    const counted = last.filter(({ type }) => type === 'counter' || type === 'histogram');
    this.departed = this.departed.then((before) => pooled([before, counted]).getMetricsAsJSON());
    await this.departed;
  }
}

function pooled(all: readonly (readonly (MetricJson | MetricObject)[])[]): Registry {
  return AggregatorRegistry.aggregate(all.filter((metrics) => metrics.length > 0).map((each) => [...each]));
}
