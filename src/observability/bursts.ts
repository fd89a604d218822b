/** Counts what may happen thousands of times at once, and reports each kind of it once for all of them. */
export class Bursts {
  private readonly counts = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly report: (kind: string, count: number) => void,
    private readonly afterMs = 2000,
  ) {}

  add(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.timer ??= setTimeout(() => this.flush(), this.afterMs).unref();
  }

  private flush(): void {
    this.timer = undefined;
    const counted = [...this.counts];
    this.counts.clear();
    for (const [kind, count] of counted) this.report(kind, count);
  }
}
