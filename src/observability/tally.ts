import type { Counter, LabelValues } from 'prom-client';

/** A node of the tree that label values span: how often the values on the way to it came together. */
class Branch {
  count = 0;
  private readonly branches = new Map<string, Branch>();

  branch(value: string): Branch {
    let branch = this.branches.get(value);
    if (branch === undefined) {
      branch = new Branch();
      this.branches.set(value, branch);
    }
    return branch;
  }

  *entries(values: readonly string[] = []): Generator<[values: readonly string[], count: number]> {
    if (this.count > 0) yield [values, this.count];
    for (const [value, branch] of this.branches) yield* branch.entries([...values, value]);
  }
}

/**
 * Counts on the hot path: a number for each combination of label values, carried over to the metric when it is
 * read. `Counter#inc` builds a hash of its labels at every call.
 */
export class Tally<T extends string> {
  private root = new Branch();

  constructor(
    /** The metric under its name, and under older ones. */
    readonly counters: readonly Counter<T>[],
    private readonly labelNames: readonly T[],
  ) {}

  /** `values` in the order of the label names. */
  add(...values: readonly string[]): void {
    let branch = this.root;
    for (const value of values) branch = branch.branch(value);
    branch.count++;
  }

  /** As `add`, for what is known in numbers. */
  addMany(count: number, ...values: readonly string[]): void {
    let branch = this.root;
    for (const value of values) branch = branch.branch(value);
    branch.count += count;
  }

  /** Moves what was counted into the metric. */
  carryOver(): void {
    for (const [values, count] of this.root.entries()) {
      const labels = Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] ?? '']));
      for (const counter of this.counters) counter.inc(labels as LabelValues<T>, count);
    }
    this.root = new Branch();
  }
}
