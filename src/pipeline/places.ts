import { LastingMap } from '../lasting-map';
import type { Delivery } from './delivery';
import { SlowGroups } from './slow-groups';

/** A group of deliveries that may hold this part of what all share: those of one instance, or for one receiving host. */
export interface Share {
  readonly key: string;
  /** From 0 to 1. */
  readonly part: number;
  /** All instances share it: one that has little or nothing slow is not kept from beginning by what the others have. */
  readonly isOfAll?: true;
}

/** What several have in common: attempts of a group, or of all together, whose name is empty. */
export interface CommonRoom {
  readonly key: string;
  /** How many more may begin. */
  readonly left: number;
}

export interface PlacesOptions {
  /** Attempts at once, and again as many slow ones. */
  readonly most: number;
  /** Bytes of events under way. */
  readonly maxBytes: number;
  /** Messages that the sources hold. */
  readonly maxHeld: number;
}

/** What a group, or all together, hold at this moment. */
interface Holding {
  /** Attempts under way, slow ones included. */
  attempts: number;
  slow: number;
  bytes: number;
  /** Deliveries that wait for a place while their messages are held. */
  waiting: number;
}

/** An attempt holds the event as it came and as it is sent. */
const COPIES = 2;
/**
 * Slow attempts that everybody may have, however many those have with whom it shares, while this part of the places for slow ones
 * is free: thousands may share one receiving host.
 */
const LEAST_SLOW = { count: 8, whileFree: 0.5 };
/** A group may have this many times the free places for slow attempts: many groups together leave some, and one alone most of them. */
const TIMES_FREE = 4;
/**
 * Where all instances together have their part, one with fewer slow attempts than this part of the free places goes on: every
 * endpoint is slow at times, and a few instances whose endpoints hang have the part of all.
 */
const FEW_OF_FREE = 1 / 8;
/**
 * Part of the memory that any group may use: kept for others it would help none of them, while large events wait that an endpoint
 * takes long for. Not all of it, as what turned slow is not given back when others come.
 */
const COMMON_MEMORY = 0.5;
/**
 * What one event counts at the most, as a part of the memory: one that is larger than everything there is would wait until
 * nothing else is under way, and let nobody in then.
 */
const MOST_OF_ONE = 0.5;
/** While no more than this part is held, a group that holds nothing may begin an event of any size, whatever flows beside it. */
const BESIDE_LARGE = 0.75;

/**
 * Shares out what attempts need: places, memory, and the messages that wait for them. Attempts that turned slow have places
 * of their own, as their messages are released; a group that holds its part of those begins no more attempts, whatever else
 * is active. Of the other places, and of waiting messages, a group holds no more than its part while others are active, and of
 * memory where less than half is free, so that they go on whatever its endpoints do.
 */
export class Places {
  private readonly all: Holding = emptyHolding();
  private readonly groups = new LastingMap<string, Holding>(isEmpty);
  /** By the first share of each delivery: of one instance, or of a global destination. */
  private readonly slowGroups = new SlowGroups();

  constructor(private readonly options: PlacesOptions) {}

  get hasPlace(): boolean {
    return this.freePlaces > 0;
  }

  /** Whether one more attempt may begin, into what all share and into what its groups may have. */
  mayBegin({ destination: { shares }, envelope: { body } }: Delivery, isAlone: boolean): boolean {
    return this.roomOf(shares, body.length, isAlone) > 0;
  }

  /** How many more attempts may begin with events of this many bytes. */
  roomOf(shares: readonly Share[], bytes: number, isAlone: boolean): number {
    return Math.max(0, Math.min(this.placesFor(shares, isAlone), this.memoryFor(shares, bytes)));
  }

  /** The same, whether there is memory for them or not. */
  placesFor(shares: readonly Share[], isAlone: boolean): number {
    const { most } = this.options;
    const isSlow = this.slowGroups.has(shares[0]?.key);
    const freeSlow = Math.max(0, most - this.all.slow - (isSlow ? this.slowGroups.expected : 0));
    const ownSlow = this.holdingOf(shares[0]).slow;
    // Beyond the places for slow ones only what is probably none.
    const mayHaveFirst = ownSlow === 0 && (freeSlow > 0 || !isSlow);
    const isFewOfMany = ownSlow < LEAST_SLOW.count && freeSlow > most * LEAST_SLOW.whileFree;
    const isFewOfFree = mayHaveFirst || ownSlow < freeSlow * FEW_OF_FREE;
    let room = isSlow ? Math.min(this.freePlaces, freeSlow) : this.freePlaces;
    for (const [index, share] of shares.entries()) {
      const held = this.holdingOf(share);
      const own = atLeastOne(most * share.part);
      // A group that has none may begin: what turned slow is not given back for others.
      const isTooSlow = held.slow > 0 && held.slow >= Math.min(own, freeSlow * TIMES_FREE);
      const mayExceed = index > 0 && (isFewOfMany || (share.isOfAll === true && isFewOfFree));
      if (isTooSlow && !mayExceed) return 0;
      if (!isAlone) room = Math.min(room, this.quickRoomOf(share));
    }
    return Math.max(0, room);
  }

  /** Of the places that `placesFor` names those which others may take as well. */
  commonRoomOf(shares: readonly Share[], isAlone: boolean): readonly CommonRoom[] {
    const all = { key: '', left: this.freePlaces };
    if (isAlone) return [all];
    return [all, ...shares.map((share) => ({ key: share.key, left: this.quickRoomOf(share) }))];
  }

  /** How many more events of this many bytes there is memory for. */
  memoryFor(shares: readonly Share[], bytes: number): number {
    const { maxBytes } = this.options;
    const each = Math.max(1, this.counted(bytes));
    const isFirst = this.holdingOf(shares[0]).bytes === 0;
    const common = fitting(this.all.bytes, maxBytes * COMMON_MEMORY, each);
    // One event alone fits whatever its size, as it does into what all share.
    const least = Math.max(common, isFirst ? 1 : 0);
    let count = fitting(this.all.bytes, maxBytes, each);
    if (isFirst && this.all.bytes <= maxBytes * BESIDE_LARGE) count = Math.max(1, count);
    for (const share of shares)
      count = Math.min(
        count,
        Math.max(least, fitting(this.holdingOf(share).bytes, maxBytes * share.part, each)),
      );
    return count;
  }

  /** Keeps memory for an event that is made ready for its attempt; what it returns gives it back, once. */
  keepMemory(shares: readonly Share[], bytes: number): () => void {
    let kept = this.counted(bytes);
    this.change(shares, 0, 0, kept, 0);
    return () => {
      this.change(shares, 0, 0, -kept, 0);
      kept = 0;
    };
  }

  /**
   * Whether the groups of this delivery may have so many more messages wait: no more than their part, unless nobody outside
   * holds anything, as where all instances have their webhooks at one host.
   */
  mayWait({ destination: { shares } }: Delivery, more = 1): boolean {
    return shares.every(({ key, part }) => {
      const held = this.groups.get(key);
      if (held === undefined || held.waiting + more <= atLeastOne(this.options.maxHeld * part)) return true;
      return this.all.attempts + this.all.waiting === held.attempts + held.waiting;
    });
  }

  /** Messages that wait for each place that their group may have: those of the group of this delivery that has most. */
  waitingForEach({ destination: { shares } }: Delivery): number {
    const { most } = this.options;
    return Math.max(0, ...shares.map((each) => this.holdingOf(each).waiting / atLeastOne(most * each.part)));
  }

  begin({ destination: { shares }, envelope }: Delivery): void {
    this.change(shares, 1, 0, this.counted(envelope.body.length), 0);
    this.slowGroups.began(shares[0]?.key);
  }

  turnedSlow({ destination: { shares } }: Delivery): void {
    this.change(shares, 0, 1, 0, 0);
    const [own] = shares;
    if (own !== undefined) this.slowGroups.turnedSlow(own.key, this.quickOf(own));
  }

  /** @param wasHung a slow one that was not answered */
  end({ destination: { shares }, envelope }: Delivery, wasSlow: boolean, wasHung = false): void {
    this.change(shares, -1, wasSlow ? -1 : 0, -this.counted(envelope.body.length), 0);
    const [own] = shares;
    if (own === undefined) return;
    if (!wasSlow) this.slowGroups.endedAtOnce(own.key, this.quickOf(own));
    else if (wasHung) this.slowGroups.hung(own.key, this.quickOf(own));
  }

  waits({ destination }: Delivery): void {
    this.change(destination.shares, 0, 0, 0, 1);
  }

  waitsNoLonger({ destination }: Delivery): void {
    this.change(destination.shares, 0, 0, 0, -1);
  }

  private counted(bytes: number): number {
    return Math.min(bytes * COPIES, this.options.maxBytes * MOST_OF_ONE);
  }

  private get freePlaces(): number {
    const { most } = this.options;
    return most - (this.all.attempts - Math.min(this.all.slow, most));
  }

  private quickRoomOf(share: Share): number {
    return atLeastOne(this.options.most * share.part) - this.quickOf(share);
  }

  /** Attempts under way that are not slow. */
  private quickOf(share: Share): number {
    const { attempts, slow } = this.holdingOf(share);
    return attempts - slow;
  }

  private holdingOf(share: Share | undefined): Readonly<Holding> {
    return (share === undefined ? undefined : this.groups.get(share.key)) ?? NOTHING;
  }

  private change(
    shares: readonly Share[],
    attempts: number,
    slow: number,
    bytes: number,
    waiting: number,
  ): void {
    add(this.all, attempts, slow, bytes, waiting);
    for (const { key } of shares) {
      let group = this.groups.get(key);
      if (group === undefined) {
        group = emptyHolding();
        this.groups.set(key, group);
      }
      add(group, attempts, slow, bytes, waiting);
    }
  }
}

const NOTHING = emptyHolding();

function emptyHolding(): Holding {
  return { attempts: 0, slow: 0, bytes: 0, waiting: 0 };
}

function isEmpty({ attempts, waiting, bytes }: Holding): boolean {
  return attempts === 0 && waiting === 0 && bytes === 0;
}

function add(holding: Holding, attempts: number, slow: number, bytes: number, waiting: number): void {
  holding.attempts += attempts;
  holding.slow += slow;
  holding.bytes += bytes;
  holding.waiting += waiting;
}

/** How many more of `each` fit beside what is held. One alone always fits. */
function fitting(held: number, most: number, each: number): number {
  const count = Math.floor((most - held) / each);
  return held === 0 ? Math.max(1, count) : count;
}

function atLeastOne(places: number): number {
  return Math.max(1, Math.floor(places));
}
