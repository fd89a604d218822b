import type { Counter, LabelValues } from 'prom-client';

/**
 * Counts on the hot path: a number in a map for each combination of label values, carried over to the metric when
 * it is read. `Counter#inc` builds a hash of its labels at every call.
 */
export class Tally<T extends string> {
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly counter: Counter<T>,
    private readonly labelNames: readonly T[],
  ) {}

  /** `values` in the order of the label names. */
  add(...values: readonly string[]): void {
    const key = values.length === 1 ? (values[0] ?? '') : values.join('\n');
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  /** Moves what was counted into the metric. */
  carryOver(): void {
    for (const [key, count] of this.counts) {
      const values = key.split('\n');
      const labels = Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] ?? '']));
      this.counter.inc(labels as LabelValues<T>, count);
    }
    this.counts.clear();
  }
}
