import { LastingMap } from '../lasting-map';

/** Parts of what the sources may hold: below these there is room for the messages of others. */
const MUCH = { ofInstance: 1 / 8, ofAll: 1 / 2 };

/** How many messages are held for lanes: those of one instance, and all together. */
export class LaneHoldings {
  private readonly ofInstance = new LastingMap<string, { messages: number }>(
    ({ messages }) => messages === 0,
  );
  private all = 0;

  /** @param most messages that the sources may hold */
  constructor(private readonly most: number) {}

  add(instance: string): void {
    this.all++;
    const known = this.ofInstance.get(instance);
    if (known === undefined) this.ofInstance.set(instance, { messages: 1 });
    else known.messages++;
  }

  leave(instance: string): void {
    this.all--;
    const known = this.ofInstance.get(instance);
    if (known !== undefined) known.messages--;
  }

  /** Whether so many are held that those of others may be kept from coming. */
  isMuch(instance: string): boolean {
    const own = this.ofInstance.get(instance)?.messages ?? 0;
    return own > this.most * MUCH.ofInstance || this.all > this.most * MUCH.ofAll;
  }
}
