import type { DestinationId } from './delivery';

/** A destination that had nothing for this long is not held up by another one. */
const RECENT_MS = 60_000;

/** Knows whether a destination has the pipeline to itself, by the two that deliveries were for last. */
export class Company {
  private latest: DestinationId | undefined;
  private latestAt = Number.NEGATIVE_INFINITY;
  /** When the last delivery for another one than the latest came. */
  private otherAt = Number.NEGATIVE_INFINITY;

  /** A delivery for this destination came. */
  note(id: DestinationId, now: number): void {
    if (id !== this.latest) {
      this.otherAt = this.latestAt;
      this.latest = id;
    }
    this.latestAt = now;
  }

  /** When a delivery came last. */
  get lastAt(): number {
    return this.latestAt;
  }

  /** Whether no other destination had a delivery lately. */
  isAlone(id: DestinationId, now: number): boolean {
    const otherAt = id === this.latest ? this.otherAt : this.latestAt;
    return now - otherAt > RECENT_MS;
  }
}
