import type { IntakeBudget } from './intake-budget';

interface Waiting {
  readonly bytes: number;
  readonly decide: (isGranted: boolean) => void;
}

/** Room in memory for files, taken before they are fetched: in the order in which they asked for it. */
export class ClaimRoom {
  /** Bounded by the turns of claims. */
  private readonly waiting = new Set<Waiting>();

  constructor(private readonly budget: IntakeBudget) {}

  /** False where it must be waited for. */
  take(bytes: number): boolean {
    return this.waiting.size === 0 && this.budget.takeClaim(bytes);
  }

  /** Resolves to whether the bytes were taken: false after `maxWaitMs`, or when `signal` aborts. */
  wait(bytes: number, maxWaitMs: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const giveUp = (): void => entry.decide(false);
      const timer = setTimeout(giveUp, maxWaitMs);
      signal.addEventListener('abort', giveUp, { once: true });
      const entry: Waiting = {
        bytes,
        decide: (isGranted) => {
          clearTimeout(timer);
          signal.removeEventListener('abort', giveUp);
          this.waiting.delete(entry);
          this.changed();
          resolve(isGranted);
        },
      };
      this.waiting.add(entry);
      this.changed();
    });
  }

  leave(bytes: number): void {
    this.budget.leaveClaim(bytes);
    this.changed();
  }

  /** Room may have come free. */
  changed(): void {
    const [next] = this.waiting;
    this.budget.await(next?.bytes ?? 0);
    if (next !== undefined && this.budget.takeClaim(next.bytes)) next.decide(true);
  }
}
