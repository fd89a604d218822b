/** Gathers what is added within one turn of the event loop, and hands it over together at the turn's end. */
export class TurnBatch<T> {
  private items: T[] = [];

  constructor(private readonly handOver: (items: T[]) => void) {}

  add(item: T): void {
    this.items.push(item);
    if (this.items.length === 1) setImmediate(() => this.flush());
  }

  /** Takes back what was added and not handed over yet. */
  takeAll(): T[] {
    return this.items.splice(0);
  }

  private flush(): void {
    const items = this.takeAll();
    if (items.length > 0) this.handOver(items);
  }
}
