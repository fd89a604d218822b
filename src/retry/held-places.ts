import type { Share } from '../pipeline/places';

/** What each group holds of the places for retries: those of one instance, or for one receiving host (shares-of.ts). */
export class HeldPlaces {
  private readonly held = new Map<string, number>();
  private all = 0;

  /** @param places for retries in all */
  constructor(private readonly places: number) {}

  take(shares: readonly Share[]): void {
    this.all++;
    for (const { key } of shares) this.held.set(key, this.of(key) + 1);
  }

  giveBack(shares: readonly Share[]): void {
    this.all--;
    for (const { key } of shares) {
      const left = this.of(key) - 1;
      if (left > 0) this.held.set(key, left);
      else this.held.delete(key);
    }
  }

  /** Whether every place that is held is of this group. */
  holdsAll({ key }: Share): boolean {
    return this.of(key) === this.all;
  }

  /**
   * Whether a group may have one more place: within its part, or while as much stays free for those who come.
   *
   * @param wished places that it is about to have beside those that it holds
   */
  mayHaveMore({ key, part }: Share, wished: number, free: number): boolean {
    const own = Math.max(1, Math.floor(this.places * part));
    return this.of(key) + wished < own || free > own;
  }

  private of(key: string): number {
    return this.held.get(key) ?? 0;
  }
}
