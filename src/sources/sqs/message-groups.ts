/** What groups put in order. */
export interface Grouped {
  /** Queue and message group of a FIFO queue; undefined where order means nothing. */
  readonly group: string | undefined;
}

/**
 * The order in which messages are handed over: within a message group one at a time, as they came; otherwise at once.
 */
export class MessageGroups<T extends Grouped> {
  /** May be handed over, in order of arrival. */
  private readonly ready: T[] = [];
  /** The first of each is ready, or handed over. */
  private readonly groups = new Map<string, T[]>();

  add(message: T): void {
    const { group } = message;
    if (group === undefined) {
      this.ready.push(message);
      return;
    }
    const line = this.groups.get(group);
    if (line !== undefined) line.push(message);
    else {
      this.groups.set(group, [message]);
      this.ready.push(message);
    }
  }

  /** The message that is next, which stays so until it is taken. */
  peek(): T | undefined {
    return this.ready[0];
  }

  take(): T | undefined {
    return this.ready.shift();
  }

  /** The first of its group is done with: the next one may follow. */
  advance({ group }: T): void {
    const line = group === undefined ? undefined : this.groups.get(group);
    if (group === undefined || line === undefined) return;
    line.shift();
    const next = line[0];
    if (next === undefined) this.groups.delete(group);
    else this.ready.push(next);
  }

  /** A message that was handed over goes back to its queue: so must those that wait behind it, which this returns. */
  cut({ group }: T): T[] {
    const line = group === undefined ? undefined : this.groups.get(group);
    if (group === undefined || line === undefined) return [];
    this.groups.delete(group);
    return line.slice(1);
  }

  /** Everything that was not handed over, the last that came first. */
  clear(): T[] {
    const waiting = new Set(this.ready.splice(0));
    for (const [group, line] of this.groups) {
      for (const message of line.splice(1)) waiting.add(message);
      const [first] = line;
      if (first === undefined || waiting.has(first)) this.groups.delete(group);
    }
    return [...waiting].reverse();
  }
}
