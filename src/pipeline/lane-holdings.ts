/** Parts of what the sources may hold: below these there is room for the messages of others. */
const MUCH = { ofInstance: 1 / 8, ofAll: 1 / 2 };

/** How many messages are held for lanes: those of one instance, and all together. */
export class LaneHoldings {
  private readonly ofInstance = new Map<string, number>();
  private all = 0;

  /** @param most messages that the sources may hold */
  constructor(private readonly most: number) {}

  add(instance: string): void {
    this.all++;
    this.ofInstance.set(instance, (this.ofInstance.get(instance) ?? 0) + 1);
  }

  leave(instance: string): void {
    this.all--;
    const left = (this.ofInstance.get(instance) ?? 0) - 1;
    if (left > 0) this.ofInstance.set(instance, left);
    else this.ofInstance.delete(instance);
  }

  /** Whether so many are held that those of others may be kept from coming. */
  isMuch(instance: string): boolean {
    const own = this.ofInstance.get(instance) ?? 0;
    return own > this.most * MUCH.ofInstance || this.all > this.most * MUCH.ofAll;
  }
}
