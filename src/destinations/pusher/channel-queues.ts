import { LastingMap } from '../../lasting-map';
import type { BatchEntry } from './batch-entry';

interface ChannelQueue {
  readonly entries: BatchEntry[];
  /** Some of its events are under way: the others wait for them, so that they do not overtake. */
  busy: boolean;
}

/** Events that wait for a request, in a line for each channel; lines take turns. */
export class ChannelQueues {
  private readonly byChannel = new LastingMap<string, ChannelQueue>(
    ({ entries, busy }) => entries.length === 0 && !busy,
  );
  /** Lines with events that may go, in the order of their turns. */
  private ready: ChannelQueue[] = [];
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
    let queue = this.byChannel.get(entry.channel);
    if (queue === undefined) {
      queue = { entries: [], busy: false };
      this.byChannel.set(entry.channel, queue);
    }
    queue.entries.push(entry);
    if (queue.busy) return;
    if (queue.entries.length === 1) this.ready.push(queue);
    this.readyEvents++;
  }

  /** Up to `count` events, those of one channel in their order; their lines are held until `release`. */
  take(count: number): BatchEntry[] {
    const taken: BatchEntry[] = [];
    let turns = 0;
    for (; turns < this.ready.length && taken.length < count; turns++) {
      const queue = this.ready[turns];
      if (queue === undefined) continue;
      this.readyEvents -= queue.entries.length;
      taken.push(...queue.entries.splice(0, count - taken.length));
      queue.busy = true;
    }
    this.ready = this.ready.slice(turns);
    return taken;
  }

  /** The events that were taken are done with: what waited behind them may go. */
  release(entries: readonly BatchEntry[]): void {
    for (const channel of new Set(entries.map((entry) => entry.channel))) {
      const queue = this.byChannel.get(channel);
      if (queue === undefined) continue;
      queue.busy = false;
      if (queue.entries.length === 0) continue;
      this.ready.push(queue);
      this.readyEvents += queue.entries.length;
    }
  }

  /** Takes an event out that nobody waits for any more. */
  withdraw(entry: BatchEntry): void {
    const queue = this.byChannel.get(entry.channel);
    const index = queue?.entries.indexOf(entry) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.entries.splice(index, 1);
    if (queue.busy) return;
    this.readyEvents--;
    if (queue.entries.length > 0) return;
    this.ready.splice(this.ready.indexOf(queue), 1);
  }
}
