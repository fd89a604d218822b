const EVERY_MS = 60_000;
/** Kinds that are told apart at the same time; tenants name some of them. */
const MOST_KINDS = 1000;

interface Kind {
  /** How many came since the last line. */
  count: number;
  summary: (count: number) => void;
}

/**
 * The first of each kind has a line of its own, at once; those that follow share one a minute. So an endpoint that refuses a thousand
 * events a second fills no disk, and hides nothing that others have to say.
 */
export class PacedLines {
  private readonly kinds = new Map<string, Kind>();
  private otherCount = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param others says how many came of further kinds, where there are too many to be told apart */
  constructor(private readonly others: (count: number) => void) {}

  /** @param summary says how many came after the first one; `count` is at least 1 */
  add(kind: string, line: () => void, summary: (count: number) => void): void {
    const known = this.kinds.get(kind);
    if (known !== undefined) {
      known.count++;
      known.summary = summary;
      return;
    }
    if (this.kinds.size < MOST_KINDS) {
      this.kinds.set(kind, { count: 0, summary });
      line();
    } else this.otherCount++;
    this.timer ??= setInterval(() => this.flush(), EVERY_MS).unref();
  }

  private flush(): void {
    for (const [name, kind] of this.kinds) {
      if (kind.count === 0) this.kinds.delete(name);
      else kind.summary(kind.count);
      kind.count = 0;
    }
    if (this.otherCount > 0) this.others(this.otherCount);
    this.otherCount = 0;
    if (this.kinds.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
