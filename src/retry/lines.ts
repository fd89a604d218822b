import { LRUCache } from 'lru-cache';
import type { DestinationId } from '../pipeline/delivery';

/** The stored line of one destination: its parked deliveries that are due. */
export interface StoredLine {
  /** The destination's key. */
  readonly key: string;
  /** Undefined where nobody knows it any more. */
  readonly id: DestinationId | undefined;
}

/** What may be done for a line now. */
export type LineRoom =
  /** So many of its deliveries may be begun. */
  | { readonly kind: 'room'; readonly count: number; readonly group: string; readonly part: number }
  /** Soon: attempts are under way there, or it is being found out whether one may be made. */
  | { readonly kind: 'soon' }
  /** Not now; where that is known, for how long not. */
  | { readonly kind: 'none'; readonly forMs?: number };

export interface LinesParts {
  /** @param bytes of an event in that line, as far as is known; 0 where it is none that counts */
  readonly roomOf: (id: DestinationId, bytes: number) => Promise<LineRoom>;
  /** Places for retries in all. */
  readonly places: number;
}

/** What to ask Redis for. */
export interface Choice {
  /** How many to take, by key. */
  readonly wishes: ReadonlyMap<string, number>;
  /** For how long nobody is to be told of a line, milliseconds, by key. */
  readonly putOff: ReadonlyMap<string, number>;
}

interface Known extends StoredLine {
  group: string;
}

interface Candidate {
  readonly key: string;
  room: number;
}

interface Group {
  readonly part: number;
  readonly lines: Candidate[];
  wished: number;
}

/** Of a destination that nobody knows: its deliveries are given up, which costs little. */
const UNKNOWN_ROOM = 50;
/** How long a line is left alone that this worker can do nothing with; another one may, or it may later. */
const PUT_OFF = { leastMs: 250, mostMs: 1000 };
/** The same where the time is known, which settings may change. */
const MOST_PUT_OFF_MS = 10_000;
/**
 * Lines that are remembered, and how many of them make a crowd: then those that were served, and those that get nothing for
 * reasons of their own, stand behind all others. Fewer than Redis names at once (retry-queue.ts), so that it names others, too.
 */
const MOST_KNOWN = 200;
const CROWD = 50;
/** Lines whose events are large, of which the sizes are remembered, and what is large. */
const MOST_SIZES = 10_000;
const LARGE_BYTES = 16_384;
/** Of a size, where the next event is smaller: large and small ones often lie in one line. */
const SIZE_FADES = 0.9;

/**
 * Chooses from which lines a worker takes: in turns among instances, and among the destinations of one. While several have
 * deliveries, none of them takes more than its part of the places for retries unless as much stays free for those who come.
 */
export class Lines {
  private readonly known = new Map<string, Known>();
  /** Retries under way of each group. */
  private readonly held = new Map<string, number>();
  /** Taken, and not begun yet, by key. */
  private readonly unbegun = new Map<string, number>();
  /** Bytes of the largest event that was taken lately, by key: for more of them there may be no memory. */
  private readonly sizes = new LRUCache<string, number>({ max: MOST_SIZES });

  constructor(private readonly parts: LinesParts) {}

  /** Whether there is no line that this worker may soon take from. */
  get isEmpty(): boolean {
    return this.known.size === 0;
  }

  /** Lines that may be looked at; whether any of them is new here. */
  learn(lines: readonly StoredLine[]): boolean {
    let isNew = false;
    for (const { key, id } of lines) {
      if (this.known.size >= MOST_KNOWN) break;
      if (this.known.has(key)) continue;
      this.known.set(key, { key, id, group: '' });
      isNew = true;
    }
    return isNew;
  }

  /** A delivery with an event of so many bytes was taken from a line; the group that `end` names. */
  begin(key: string, bytes: number): string {
    this.noteSize(key, bytes);
    const group = this.known.get(key)?.group ?? '';
    add(this.held, group, 1);
    add(this.unbegun, key, 1);
    return group;
  }

  /** Its attempt begins, or there is none. */
  begun(key: string): void {
    add(this.unbegun, key, -1);
  }

  end(group: string): void {
    add(this.held, group, -1);
  }

  /** So many are left of a line that was taken from. */
  left(key: string, count: number): void {
    if (count === 0 || this.known.size > CROWD) this.known.delete(key);
  }

  /**
   * @param most to take now
   * @param free places in all
   */
  async choose(most: number, free: number): Promise<Choice> {
    const putOff = new Map<string, number>();
    const groups = new Map<string, Group>();
    const lines = [...this.known.values()];
    const isCrowd = lines.length > CROWD;
    const rooms = await Promise.all(lines.map((line) => this.roomOf(line)));
    for (const [index, line] of lines.entries()) {
      const room = rooms[index] ?? NO_ROOM;
      if (room.kind === 'room') {
        line.group = room.group;
        this.enter(groups, line.key, room);
      } else if (room.kind === 'none') {
        this.known.delete(line.key);
        putOff.set(line.key, putOffMs(room.forMs));
      }
    }
    const { wishes, isUsedUp } = this.takeTurns(groups, Math.min(most, free), free, isCrowd);
    for (const key of wishes.keys()) this.moveBack(key);
    if (!isUsedUp) this.makeRoom(lines, wishes, putOff);
    return { wishes, putOff };
  }

  /** Of a crowd those step back that get nothing although there are places: behind them may be some that would. */
  private makeRoom(
    lines: readonly StoredLine[],
    wishes: ReadonlyMap<string, number>,
    putOff: Map<string, number>,
  ): void {
    for (const { key } of lines) {
      if (this.known.size <= CROWD) return;
      if (!wishes.has(key) && this.known.delete(key)) putOff.set(key, putOffMs());
    }
  }

  private enter(
    groups: Map<string, Group>,
    key: string,
    { count, group: name, part }: LineRoom & { readonly kind: 'room' },
  ): void {
    const room = count - (this.unbegun.get(key) ?? 0);
    if (room <= 0) return;
    const group = groups.get(name) ?? { part, lines: [], wished: 0 };
    groups.set(name, group);
    group.lines.push({ key, room });
  }

  private async roomOf({ key, id }: StoredLine): Promise<LineRoom> {
    if (id === undefined) return { kind: 'room', count: UNKNOWN_ROOM, group: '', part: 1 };
    return this.parts.roomOf(id, this.sizes.get(key) ?? 0);
  }

  private noteSize(key: string, bytes: number): void {
    const size = Math.max(bytes, (this.sizes.get(key) ?? 0) * SIZE_FADES);
    if (size >= LARGE_BYTES) this.sizes.set(key, size);
    else this.sizes.delete(key);
  }

  /** Next time those come first that got nothing now. */
  private moveBack(key: string): void {
    const line = this.known.get(key);
    if (line === undefined) return;
    this.known.delete(key);
    this.known.set(key, line);
  }

  /** @param isCrowd there may be others, of which nothing is known yet */
  private takeTurns(
    groups: ReadonlyMap<string, Group>,
    most: number,
    free: number,
    isCrowd: boolean,
  ): { readonly wishes: Map<string, number>; readonly isUsedUp: boolean } {
    const wishes = new Map<string, number>();
    const isAlone =
      !isCrowd && groups.size === 1 && [...this.held.keys()].every((group) => groups.has(group));
    let taken = 0;
    for (let served = true; served; ) {
      served = false;
      for (const [name, group] of groups) {
        if (taken >= most) return { wishes, isUsedUp: true };
        if (!isAlone && !this.mayHaveMore(name, group, free - taken)) continue;
        const line = group.lines.shift();
        if (line === undefined) continue;
        if (--line.room > 0) group.lines.push(line);
        wishes.set(line.key, (wishes.get(line.key) ?? 0) + 1);
        group.wished++;
        taken++;
        served = true;
      }
    }
    return { wishes, isUsedUp: false };
  }

  private mayHaveMore(name: string, { part, wished }: Group, free: number): boolean {
    const own = Math.max(1, Math.floor(this.parts.places * part));
    return (this.held.get(name) ?? 0) + wished < own || free > own;
  }
}

const NO_ROOM: LineRoom = { kind: 'none' };

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function putOffMs(forMs = 0): number {
  const knownMs = Math.min(Math.ceil(forMs), MOST_PUT_OFF_MS);
  return Math.max(knownMs, randomBetween(PUT_OFF.leastMs, PUT_OFF.mostMs));
}

function randomBetween(least: number, most: number): number {
  return Math.round(least + Math.random() * (most - least));
}
