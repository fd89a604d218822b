/** Slow attempts one after the other, none of them answered at once: every endpoint is slow at times. */
const SLOW_RUN = 2;
/** Groups that are remembered; one that is forgotten is found slow again soon. */
const MOST_KNOWN = 10_000;

/**
 * Knows which groups have had nothing but slow attempts lately, and how many of theirs are under way and not slow yet: these will
 * be. A group without any attempt under way is known as well.
 */
export class SlowGroups {
  /** Of each, slow attempts since the last one that ended at once. */
  private readonly runs = new Map<string, number>();
  private count = 0;

  /** Attempts under way of groups that are known, those that are slow by now left out. */
  get expected(): number {
    return this.count;
  }

  has(key: string | undefined): boolean {
    if (key === undefined || this.runs.size === 0) return false;
    return (this.runs.get(key) ?? 0) >= SLOW_RUN;
  }

  began(key: string | undefined): void {
    if (this.has(key)) this.count++;
  }

  /** @param others attempts of it under way that are not slow, this one left out */
  turnedSlow(key: string, others: number): void {
    if (this.has(key)) this.count--;
    this.add(key, 1, others);
  }

  /** It had been slow and was not answered in the end. */
  hung(key: string, others: number): void {
    this.add(key, SLOW_RUN, others);
  }

  /** @param others attempts of it under way that are not slow, this one left out */
  endedAtOnce(key: string, others: number): void {
    if (this.runs.size === 0) return;
    if (this.has(key)) this.count -= others + 1;
    this.runs.delete(key);
  }

  private add(key: string, slow: number, others: number): void {
    const wasKnown = this.has(key);
    if (this.runs.size >= MOST_KNOWN && !this.runs.has(key)) this.forget();
    this.runs.set(key, Math.min(SLOW_RUN, (this.runs.get(key) ?? 0) + slow));
    if (!wasKnown && this.has(key)) this.count += others;
  }

  private forget(): void {
    this.runs.clear();
    this.count = 0;
  }
}
