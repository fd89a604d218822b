import type { BatchEntry } from './batch-entry';

interface Lane {
  readonly entries: BatchEntry[];
  /** Some of its events are under way: the others wait for them, so that they do not overtake. */
  busy: boolean;
}

/** Events that wait for a request, in a line for each channel; lines take turns. */
export class Lanes {
  private readonly byChannel = new Map<string, Lane>();
  /** Lines with events that may go, in the order of their turns. */
  private ready: Lane[] = [];
  private readyEvents = 0;

  /** How many events may go. */
  get readyCount(): number {
    return this.readyEvents;
  }

  /** Since when the one whose turn is next waits; undefined where none may go. */
  get waitingSince(): number | undefined {
    return this.ready[0]?.entries[0]?.since;
  }

  add(entry: BatchEntry): void {
    let lane = this.byChannel.get(entry.channel);
    if (lane === undefined) {
      lane = { entries: [], busy: false };
      this.byChannel.set(entry.channel, lane);
    }
    lane.entries.push(entry);
    if (lane.busy) return;
    if (lane.entries.length === 1) this.ready.push(lane);
    this.readyEvents++;
  }

  /** Up to `count` events, those of one channel in their order; their lines are held until `release`. */
  take(count: number): BatchEntry[] {
    const taken: BatchEntry[] = [];
    let turns = 0;
    for (; turns < this.ready.length && taken.length < count; turns++) {
      const lane = this.ready[turns];
      if (lane === undefined) continue;
      this.readyEvents -= lane.entries.length;
      taken.push(...lane.entries.splice(0, count - taken.length));
      lane.busy = true;
    }
    this.ready = this.ready.slice(turns);
    return taken;
  }

  /** The events that were taken are done with: what waited behind them may go. */
  release(entries: readonly BatchEntry[]): void {
    for (const channel of new Set(entries.map((entry) => entry.channel))) {
      const lane = this.byChannel.get(channel);
      if (lane === undefined) continue;
      lane.busy = false;
      if (lane.entries.length === 0) this.byChannel.delete(channel);
      else {
        this.ready.push(lane);
        this.readyEvents += lane.entries.length;
      }
    }
  }

  /** Takes an event out that nobody waits for any more. */
  withdraw(entry: BatchEntry): void {
    const lane = this.byChannel.get(entry.channel);
    const index = lane?.entries.indexOf(entry) ?? -1;
    if (lane === undefined || index === -1) return;
    lane.entries.splice(index, 1);
    if (lane.busy) return;
    this.readyEvents--;
    if (lane.entries.length > 0) return;
    this.byChannel.delete(entry.channel);
    this.ready.splice(this.ready.indexOf(lane), 1);
  }
}
