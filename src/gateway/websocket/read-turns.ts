export interface ReadTurnsOptions {
  /** Reads at once, in all. */
  readonly places: number;
  /** And for one stream. */
  readonly placesPerStream: number;
}

type Job = () => Promise<void>;

/**
 * Shares the places for reading among streams: those with work take turns, each with few places of its own, so that
 * many clients that come back to one stream do not hold up the clients of another. The work that waits is bounded by its
 * callers: one piece for each client and each stream.
 */
export class ReadTurns {
  /** In the order of their turns. */
  private readonly waiting = new Map<string, Job[]>();
  private readonly running = new Map<string, number>();
  private used = 0;

  constructor(private readonly options: ReadTurnsOptions) {}

  run<T>(stream: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const jobs = this.waiting.get(stream) ?? [];
      jobs.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      });
      this.waiting.set(stream, jobs);
      this.startNext();
    });
  }

  private startNext(): void {
    while (this.used < this.options.places) {
      const stream = this.nextStream();
      if (stream === undefined) return;
      this.start(stream);
    }
  }

  private nextStream(): string | undefined {
    for (const stream of this.waiting.keys()) {
      if ((this.running.get(stream) ?? 0) < this.options.placesPerStream) return stream;
    }
    return undefined;
  }

  private start(stream: string): void {
    const jobs = this.waiting.get(stream) ?? [];
    const job = jobs.shift();
    // To the end of the line.
    this.waiting.delete(stream);
    if (jobs.length > 0) this.waiting.set(stream, jobs);
    if (job === undefined) return;
    this.count(stream, 1);
    void job().finally(() => {
      this.count(stream, -1);
      this.startNext();
    });
  }

  private count(stream: string, change: 1 | -1): void {
    this.used += change;
    const running = (this.running.get(stream) ?? 0) + change;
    if (running > 0) this.running.set(stream, running);
    else this.running.delete(stream);
  }
}
