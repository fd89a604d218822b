export interface Rate {
  /** Turns that come at once; they grow back at the same pace. */
  readonly burst: number;
  /** Between two turns after that. */
  readonly intervalMs: number;
}

/** Turns at a rate, with a burst (the generic cell rate algorithm): one number is all there is to remember. */
export class Pace {
  /** When the last turn that was taken would have been due at an even pace. */
  private due = Number.NEGATIVE_INFINITY;

  constructor(private readonly rate: Rate) {}

  /** How long the next turn waits, in milliseconds. */
  waitMs(now: number): number {
    const { burst, intervalMs } = this.rate;
    return Math.max(0, Math.max(this.due, now) - now - (burst - 1) * intervalMs);
  }

  take(now: number, turns = 1): void {
    this.due = Math.max(this.due, now) + turns * this.rate.intervalMs;
  }
}
