import { LastingMap } from '../lasting-map';
import type { Share } from '../pipeline/places';

/** What each group holds of the places for retries: those of one instance, or for one receiving host (shares-of.ts). */
export class HeldPlaces {
  private readonly held = new LastingMap<string, { places: number }>(({ places }) => places === 0);
  private all = 0;

  /** Places that are held. */
  get count(): number {
    return this.all;
  }

  take(shares: readonly Share[]): void {
    this.all++;
    for (const { key } of shares) {
      const known = this.held.get(key);
      if (known === undefined) this.held.set(key, { places: 1 });
      else known.places++;
    }
  }

  giveBack(shares: readonly Share[]): void {
    this.all--;
    for (const { key } of shares) {
      const known = this.held.get(key);
      if (known !== undefined) known.places--;
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
   * @param places that there are now, held ones included (ramp.ts)
   */
  mayHaveMore({ key, part }: Share, wished: number, free: number, places: number): boolean {
    const own = Math.max(1, Math.floor(places * part));
    return this.of(key) + wished < own || free > own;
  }

  private of(key: string): number {
    return this.held.get(key)?.places ?? 0;
  }
}
