/** Parts that a window is counted in. */
const SLOTS = 100;

/**
 * How many permits were used within the last `windowMs`, counted in a hundred parts, and for one part longer: never more
 * than there are in any window, wherever it begins.
 */
export class RateWindow {
  private readonly slotMs: number;
  /** Permits used, by the number of the part. */
  private readonly used = new Map<number, number>();
  private sum = 0;

  constructor(windowMs: number) {
    this.slotMs = windowMs / SLOTS;
  }

  /** How many were used until now. */
  usedUntil(now: number): number {
    const oldest = Math.floor(now / this.slotMs) - SLOTS;
    for (const [slot, count] of this.used) {
      if (slot >= oldest) break;
      this.used.delete(slot);
      this.sum -= count;
    }
    return this.sum;
  }

  use(now: number): void {
    const slot = Math.floor(now / this.slotMs);
    this.used.set(slot, (this.used.get(slot) ?? 0) + 1);
    this.sum++;
  }

  /** Milliseconds until some of what was used counts no more. */
  nextMs(now: number): number {
    const [oldest] = this.used.keys();
    return oldest === undefined ? 0 : Math.max(0, (oldest + SLOTS + 1) * this.slotMs - now);
  }
}
