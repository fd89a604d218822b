import { LRUCache } from 'lru-cache';
import type { DestinationId } from '../pipeline/delivery';
import type { CommonRoom, Share } from '../pipeline/places';
import { SlotMap } from '../slot-map';
import { HeldPlaces } from './held-places';
import { type Candidate, LineTurns } from './line-turns';

/** The stored line of one destination: its parked deliveries that are due. */
export interface StoredLine {
  /** The destination's key. */
  readonly key: string;
  /** Undefined where nobody knows it any more. */
  readonly id: DestinationId | undefined;
}

/** What may be done for a line now. */
export type LineRoom =
  /** This many of its deliveries may be taken, which take places from those that share with it. */
  | {
      readonly kind: 'room';
      readonly count: number;
      readonly shares: readonly Share[];
      /** How many of those that were taken may begin at once; the others wait for those. */
      readonly ready: number;
      readonly common: readonly CommonRoom[];
    }
  /** Soon: attempts are under way there, or it is being found out whether one may be made. */
  | { readonly kind: 'soon' }
  /** Not now; where that is known, for how long not. */
  | { readonly kind: 'none'; readonly forMs?: number };

/** Says it as of now: what begins while others are still looked at would be counted twice, or not at all. */
export type LookAtRoom = () => LineRoom;

export interface LinesParts {
  /** @param bytes of an event in that line, as far as is known; 0 where it is none that counts */
  readonly roomOf: (id: DestinationId, bytes: number) => Promise<LookAtRoom>;
}

/** What to ask Redis for. */
export interface Choice {
  /** How many to take, by key. */
  readonly wishes: ReadonlyMap<string, number>;
  /** For how many milliseconds Redis is to name a line to no worker, by key. */
  readonly putOff: ReadonlyMap<string, number>;
}

interface Known extends StoredLine {
  shares: readonly Share[];
}

interface Unbegun {
  count: number;
  readonly shares: readonly Share[];
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
 * deliveries, none of them, and no receiving host, takes more than its part of the places for retries unless as much stays
 * free for those who come.
 */
export class Lines {
  private readonly known = new Map<string, Known>();
  /** By retries under way. */
  private readonly held = new HeldPlaces();
  /** Taken, and not begun yet, by key. */
  private readonly unbegun = new SlotMap<string, Unbegun>();
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
      this.known.set(key, { key, id, shares: [] });
      isNew = true;
    }
    return isNew;
  }

  /** A delivery with an event of this many bytes was taken from a line; what `end` takes. */
  begin(key: string, bytes: number): readonly Share[] {
    this.noteSize(key, bytes);
    const shares = this.known.get(key)?.shares ?? [];
    this.held.take(shares);
    const unbegun = this.unbegun.get(key);
    if (unbegun === undefined) this.unbegun.set(key, { count: 1, shares });
    else unbegun.count++;
    return shares;
  }

  /** Its attempt begins, or there is none. */
  begun(key: string): void {
    const unbegun = this.unbegun.get(key);
    if (unbegun !== undefined && --unbegun.count === 0) this.unbegun.delete(key);
  }

  end(shares: readonly Share[]): void {
    this.held.giveBack(shares);
  }

  /** This many are left of a line that was taken from. */
  left(key: string, count: number): void {
    if (count === 0 || this.known.size > CROWD) this.known.delete(key);
  }

  /**
   * @param most to take now
   * @param free places in all
   */
  async choose(most: number, free: number): Promise<Choice> {
    const putOff = new Map<string, number>();
    const candidates: Candidate[] = [];
    const lines = [...this.known.values()];
    const isCrowd = lines.length > CROWD;
    const looks = await Promise.all(lines.map((line) => this.roomOf(line)));
    // From here to the end there is no pause: what is left of places is that of one moment.
    const rooms = looks.map((look) => look());
    for (const [index, line] of lines.entries()) {
      const room = rooms[index] ?? NO_ROOM;
      if (room.kind === 'room') {
        line.shares = room.shares;
        const count = room.count - (this.unbegun.get(line.key)?.count ?? 0);
        const { shares, common } = room;
        if (count > 0) candidates.push({ key: line.key, room: count, shares, common });
      } else if (room.kind === 'none' && !this.unbegun.has(line.key)) {
        this.known.delete(line.key);
        putOff.set(line.key, putOffMs(room.forMs));
      }
    }
    const begun = this.aboutToBegin(new Map(lines.map(({ key }, index) => [key, rooms[index]])));
    const turns = new LineTurns({ candidates, held: this.held, isCrowd, begun });
    const isUsedUp = turns.take(Math.min(most, free), free);
    const { wishes } = turns;
    for (const key of wishes.keys()) this.moveBack(key);
    if (!isUsedUp) this.makeRoom(lines, wishes, putOff);
    return { wishes, putOff };
  }

  /** How much of what several have in common is as good as used: by what was taken, and begins as soon as it is unpacked. */
  private aboutToBegin(rooms: ReadonlyMap<string, LineRoom | undefined>): Map<string, number> {
    const used = new Map<string, number>();
    for (const [key, { count, shares }] of this.unbegun.entries()) {
      const room = rooms.get(key);
      const most = room === undefined ? count : room.kind === 'room' ? room.ready : 0;
      for (const name of ['', ...shares.map((share) => share.key)])
        used.set(name, (used.get(name) ?? 0) + Math.min(count, most));
    }
    return used;
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

  private async roomOf({ key, id }: StoredLine): Promise<LookAtRoom> {
    if (id === undefined) return () => NOBODYS_ROOM;
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
}

const NO_ROOM: LineRoom = { kind: 'none' };
const NOBODYS_ROOM: LineRoom = { kind: 'room', count: UNKNOWN_ROOM, shares: [], ready: 0, common: [] };

function putOffMs(forMs = 0): number {
  const knownMs = Math.min(Math.ceil(forMs), MOST_PUT_OFF_MS);
  return Math.max(knownMs, randomBetween(PUT_OFF.leastMs, PUT_OFF.mostMs));
}

function randomBetween(least: number, most: number): number {
  return Math.round(least + Math.random() * (most - least));
}
