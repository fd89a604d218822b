/** A marker that did not take effect by then was lost. */
export const MARK_AGAIN_MS = 30_000;

/** Which markers were sent lately, the oldest first: a tenant may have its destinations ordered over and over. */
export class OrderMarks {
  private readonly sentAt = new Map<string, number>();

  get size(): number {
    return this.sentAt.size;
  }

  /**
   * Whether it is to be sent, which then counts as done.
   *
   * @param now milliseconds of a monotonic clock
   */
  take(marker: string, now: number): boolean {
    for (const [key, at] of this.sentAt) {
      if (now - at < MARK_AGAIN_MS) break;
      this.sentAt.delete(key);
    }
    if (this.sentAt.has(marker)) return false;
    this.sentAt.set(marker, now);
    return true;
  }
}
