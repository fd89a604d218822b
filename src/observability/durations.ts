import { Histogram, type Registry } from 'prom-client';

/** Upper bounds of the buckets, seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface Observed {
  /** How many fell into each bucket; the last one has no upper bound. */
  readonly buckets: number[];
  sum: number;
  count: number;
}

/**
 * A histogram of durations for the hot path: `Histogram#observe` checks and hashes its labels at every call, which
 * costs ten times what counting does.
 */
export class Durations extends Histogram<'destination'> {
  private readonly byDestination = new Map<string, Observed>();

  constructor(
    private readonly metric: string,
    private readonly text: string,
    registry: Registry,
  ) {
    super({ name: metric, help: text, labelNames: ['destination'], buckets: BOUNDS, registers: [registry] });
  }

  add(destination: string, seconds: number): void {
    let observed = this.byDestination.get(destination);
    if (observed === undefined) {
      observed = { buckets: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0, count: 0 };
      this.byDestination.set(destination, observed);
    }
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++;
    observed.buckets[bucket] = (observed.buckets[bucket] as number) + 1;
    observed.sum += seconds;
    observed.count++;
  }

  /** What the registry asks a histogram for, and `get` too. */
  getForPromString(): Promise<object> {
    const values = [...this.byDestination].flatMap(([destination, observed]) =>
      this.valuesOf(destination, observed),
    );
    return Promise.resolve({
      name: this.metric,
      help: this.text,
      type: 'histogram',
      aggregator: 'sum',
      values,
    });
  }

  private valuesOf(destination: string, { buckets, sum, count }: Observed): object[] {
    const { metric } = this;
    const sharedLabels = { destination };
    let below = 0;
    const upTo = [...BOUNDS, '+Inf'].map((le, index) => {
      below += buckets[index] ?? 0;
      return { metricName: `${metric}_bucket`, sharedLabels, labels: { le }, value: below };
    });
    return [
      ...upTo,
      { metricName: `${metric}_sum`, sharedLabels, labels: {}, value: sum },
      { metricName: `${metric}_count`, sharedLabels, labels: {}, value: count },
    ];
  }
}
