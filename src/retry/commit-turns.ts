/** Something that waits to be stored. */
export interface Waiting {
  readonly bytes: number;
  /** With whom it takes turns; undefined: it is small, and its caller has waited for Redis before. */
  readonly group: string | undefined;
}

/** What a group may store in its turn, more than one only where they are small. */
const TURN_BYTES = 65_536;
/** After this many in a row that belong to no group, the next one is of a group if any waits. */
const UNGROUPED_IN_A_ROW = 3;

/**
 * The order in which changes are stored: groups take turns, so that what one of them stores does not keep the others waiting, and
 * what is of no group goes before them, though never for long. Within a group the order is kept.
 */
export class CommitTurns<T extends Waiting> {
  private readonly ungrouped: T[] = [];
  /** The first one has its turn. */
  private readonly groups = new Map<string, T[]>();
  private leftBytes = TURN_BYTES;
  private inARow = 0;
  private count = 0;
  private waitingBytes = 0;

  get length(): number {
    return this.count;
  }

  get bytes(): number {
    return this.waitingBytes;
  }

  add(each: T): void {
    this.count++;
    this.waitingBytes += each.bytes;
    this.queueOf(each).push(each);
  }

  /** Before what waits. */
  putBack(batch: readonly T[]): void {
    for (const each of [...batch].reverse()) {
      this.count++;
      this.waitingBytes += each.bytes;
      this.queueOf(each).unshift(each);
    }
  }

  take(): T | undefined {
    const ungroupedFirst = this.groups.size === 0 || this.inARow < UNGROUPED_IN_A_ROW;
    const ungrouped = ungroupedFirst ? this.ungrouped.shift() : undefined;
    this.inARow = ungrouped === undefined ? 0 : this.inARow + 1;
    const next = ungrouped ?? this.takeInTurn() ?? this.ungrouped.shift();
    if (next === undefined) return undefined;
    this.count--;
    this.waitingBytes -= next.bytes;
    return next;
  }

  takeAll(): readonly T[] {
    const all = [...this.ungrouped.splice(0), ...[...this.groups.values()].flat()];
    this.groups.clear();
    this.count = 0;
    this.waitingBytes = 0;
    return all;
  }

  private queueOf({ group }: T): T[] {
    if (group === undefined) return this.ungrouped;
    const queue = this.groups.get(group) ?? [];
    this.groups.set(group, queue);
    return queue;
  }

  private takeInTurn(): T | undefined {
    const [first] = this.groups;
    if (first === undefined) return undefined;
    const [name, queue] = first;
    const next = queue.shift();
    this.leftBytes -= next?.bytes ?? 0;
    if (queue.length === 0 || this.leftBytes <= 0) {
      this.groups.delete(name);
      if (queue.length > 0) this.groups.set(name, queue);
      this.leftBytes = TURN_BYTES;
    }
    return next;
  }
}
