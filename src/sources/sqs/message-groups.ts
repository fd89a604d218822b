/** What lanes put in order. */
export interface Laned {
  /** Queue and message group of a FIFO queue; undefined where order means nothing. */
  readonly lane: string | undefined;
}

/**
 * The order in which messages are handed over: within a message group one at a time, as they came; otherwise at once.
 */
export class MessageGroups<T extends Laned> {
  /** May be handed over, in order of arrival. */
  private readonly ready: T[] = [];
  /** The first of each is ready, or handed over. */
  private readonly lanes = new Map<string, T[]>();

  add(message: T): void {
    const { lane } = message;
    if (lane === undefined) {
      this.ready.push(message);
      return;
    }
    const line = this.lanes.get(lane);
    if (line !== undefined) line.push(message);
    else {
      this.lanes.set(lane, [message]);
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

  /** The first of its lane is done with: the next one may follow. */
  advance({ lane }: T): void {
    const line = lane === undefined ? undefined : this.lanes.get(lane);
    if (lane === undefined || line === undefined) return;
    line.shift();
    const next = line[0];
    if (next === undefined) this.lanes.delete(lane);
    else this.ready.push(next);
  }

  /** A message that was handed over goes back to its queue: so must those that wait behind it, which this returns. */
  cut({ lane }: T): T[] {
    const line = lane === undefined ? undefined : this.lanes.get(lane);
    if (lane === undefined || line === undefined) return [];
    this.lanes.delete(lane);
    return line.slice(1);
  }

  /** Everything that was not handed over, the last that came first. */
  clear(): T[] {
    const waiting = new Set(this.ready.splice(0));
    for (const [lane, line] of this.lanes) {
      for (const message of line.splice(1)) waiting.add(message);
      const [first] = line;
      if (first === undefined || waiting.has(first)) this.lanes.delete(lane);
    }
    return [...waiting].reverse();
  }
}
