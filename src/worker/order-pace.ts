/** Where so many destinations are ordered, what is new needs no other worker to bind anything: all of them do already. */
const MANY = 100;
/** What an answer took Redis and us is at the most this part of the time. */
const PART = 1 / 50;
/** Much less than what is known is good for (order-view.ts). */
const MOST_MS = 10_000;

/** When it is asked again how ordered destinations stand: an answer names all of them, and every worker asks. */
export class OrderPace {
  private dueAt = Number.NEGATIVE_INFINITY;

  /** @param tookMs how long the answer took, which came just now */
  answered(now: number, tookMs: number, destinations: number): void {
    this.dueAt = destinations < MANY ? now : now + Math.min(MOST_MS, tookMs / PART);
  }

  isDue(now: number): boolean {
    return now >= this.dueAt;
  }
}
