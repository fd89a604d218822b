interface Entry<T> {
  readonly item: T;
  readonly dueAt: number;
  /** Among those that are due at the same time, the one added first comes first. */
  readonly order: number;
}

/** Items by the time at which they are due: adding and taking one of n costs log n steps. A binary heap. */
export class DueHeap<T extends object> {
  private readonly entries: Entry<T>[] = [];
  /** The entry of each item that counts: an older one is passed over when it comes up. */
  private readonly current = new Map<T, Entry<T>>();
  private orders = 0;

  get size(): number {
    return this.current.size;
  }

  /** Adds an item, or changes when it is due. */
  set(item: T, dueAt: number): void {
    const entry = { item, dueAt, order: this.orders++ };
    this.current.set(item, entry);
    this.rise(this.entries.push(entry) - 1, entry);
  }

  delete(item: T): void {
    this.current.delete(item);
    // What has been left behind would otherwise stay for as long as it is not due.
    if (this.entries.length > 2 * this.current.size + 64) this.rebuild();
  }

  /** When the next item is due; infinity where there is none. */
  get nextAt(): number {
    return this.first()?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  /** Removes the item that is due first, where that is not later than `now`. */
  take(now: number): T | undefined {
    const first = this.first();
    if (first === undefined || first.dueAt > now) return undefined;
    this.current.delete(first.item);
    this.removeFirst();
    return first.item;
  }

  private first(): Entry<T> | undefined {
    for (let first = this.entries[0]; first !== undefined; first = this.entries[0]) {
      if (this.current.get(first.item) === first) return first;
      this.removeFirst();
    }
    return undefined;
  }

  private rebuild(): void {
    this.entries.length = 0;
    for (const entry of this.current.values()) this.rise(this.entries.push(entry) - 1, entry);
  }

  private removeFirst(): void {
    const last = this.entries.pop();
    if (last !== undefined && this.entries.length > 0) this.sink(last);
  }

  private rise(place: number, entry: Entry<T>): void {
    let at = place;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.entries[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      this.entries[at] = parent;
      at = above;
    }
    this.entries[at] = entry;
  }

  /** Puts an entry at the top, and from there to where it belongs. */
  private sink(entry: Entry<T>): void {
    let at = 0;
    for (;;) {
      const below = this.lesserBelow(at);
      const child = this.entries[below];
      if (child === undefined || isBefore(entry, child)) break;
      this.entries[at] = child;
      at = below;
    }
    this.entries[at] = entry;
  }

  private lesserBelow(at: number): number {
    const left = 2 * at + 1;
    const [one, other] = [this.entries[left], this.entries[left + 1]];
    return one !== undefined && other !== undefined && isBefore(other, one) ? left + 1 : left;
  }
}

function isBefore<T>(one: Entry<T>, other: Entry<T>): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}
