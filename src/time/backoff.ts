export interface BackoffOptions {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Share by which a pause varies, up and down: 0.2 is ±20 %. */
  readonly jitter?: number;
}

/** Pauses between tries of one thing: each twice as long as the one before, up to `lastMs`. */
export class Backoff {
  private nextMs: number;

  constructor(private readonly options: BackoffOptions) {
    this.nextMs = options.firstMs;
  }

  /** The pause to make now, in milliseconds; the following one is longer. */
  next(): number {
    const { lastMs, jitter = 0 } = this.options;
    const pauseMs = this.nextMs * (1 + jitter * (2 * Math.random() - 1));
    this.nextMs = Math.min(lastMs, this.nextMs * 2);
    return Math.min(lastMs, pauseMs);
  }

  /** After a success: the next pause is the first one again. */
  reset(): void {
    this.nextMs = this.options.firstMs;
  }
}
