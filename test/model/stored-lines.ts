/** Which destinations have lines in Redis, by key, and when one may look at them: the sorted set `lines` of src/redis/. */
export class StoredLines {
  private readonly at = new Map<string, number>();

  clear(): void {
    this.at.clear();
  }

  /** Something is in a line: where there was none, it may be looked at from then on. */
  enter(key: string, at: number): void {
    if (!this.at.has(key)) this.at.set(key, at);
  }

  turn(key: string, at: number): void {
    if (this.at.has(key)) this.at.set(key, at);
  }

  took(key: string, left: number, now: number): void {
    if (left === 0) this.at.delete(key);
    else this.turn(key, now);
  }

  now(now: number): string[] {
    return [...this.at].flatMap(([key, at]) => (at > now ? [] : [key]));
  }

  /** When the next one may be looked at that may not be now. */
  next(now: number): number {
    return Math.min(...[...this.at.values()].filter((at) => at > now));
  }
}
