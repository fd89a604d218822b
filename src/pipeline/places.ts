import type { Delivery } from './delivery';

/** A group of deliveries that may hold this part of what all share: those of one instance, or for one receiving host. */
export interface Share {
  readonly key: string;
  /** From 0 to 1. */
  readonly part: number;
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
/** Slow attempts that everybody may have, however many those have with whom it shares. */
const LEAST_SLOW = 8;
/** Part of the memory that one may hold that is alone: what turns slow holds it for long, and others may come. */
const ALONE_BYTES = 0.5;

/**
 * Shares out what attempts need: places, memory, and the messages that wait for them. Attempts that turned slow have places
 * of their own, as their messages are released; a group that holds its part of those begins no more attempts, whoever else
 * is active. Of the other places, and of memory and waiting messages, a group holds no more than its part while others are
 * active, so that they go on whatever its endpoints do.
 */
export class Places {
  private readonly all: Holding = emptyHolding();
  /** Of those that hold something. */
  private readonly groups = new Map<string, Holding>();

  constructor(private readonly options: PlacesOptions) {}

  /** Whether one more attempt fits into what all share. One alone always fits. */
  hasRoomFor(bytes: number): boolean {
    return this.hasPlace && this.fits(bytes);
  }

  get hasPlace(): boolean {
    const { most } = this.options;
    return this.all.attempts - Math.min(this.all.slow, most) < most;
  }

  /** Whether an event of `bytes` fits into memory; it does where nothing else is under way. */
  fits(bytes: number): boolean {
    return this.all.bytes === 0 || this.all.bytes + bytes * COPIES <= this.options.maxBytes;
  }

  /** Whether the groups of this delivery may begin one more attempt. */
  mayBegin({ destination: { shares }, envelope: { body } }: Delivery, isAlone: boolean): boolean {
    const { most, maxBytes } = this.options;
    const own = this.groups.get(shares[0]?.key ?? '') ?? NOTHING;
    return shares.every(({ key, part }, index) => {
      const held = this.groups.get(key);
      if (held === undefined) return true;
      if (held.slow >= atLeastOne(most * part) && (index === 0 || own.slow >= LEAST_SLOW)) return false;
      const bytesPart = isAlone ? Math.max(part, ALONE_BYTES) : part;
      // One event alone fits whatever its size, as it does into what all share.
      if (own.bytes > 0 && held.bytes + body.length * COPIES > maxBytes * bytesPart) return false;
      return isAlone || held.attempts - held.slow < atLeastOne(most * part);
    });
  }

  /** How many more attempts groups may begin, whatever bytes these take. */
  roomOf(shares: readonly Share[], isAlone: boolean): number {
    const { most } = this.options;
    let room = most - (this.all.attempts - Math.min(this.all.slow, most));
    for (const { key, part } of shares) {
      const held = this.groups.get(key);
      if (held === undefined || isAlone) continue;
      room = Math.min(room, atLeastOne(most * part) - (held.attempts - held.slow));
    }
    return Math.max(0, room);
  }

  /**
   * Whether the groups of this delivery may have one more message wait: no more than their part, unless nobody outside
   * holds anything, as where all instances have their webhooks at one host.
   */
  mayWait({ destination: { shares } }: Delivery): boolean {
    return shares.every(({ key, part }) => {
      const held = this.groups.get(key);
      if (held === undefined || held.waiting < atLeastOne(this.options.maxHeld * part)) return true;
      return this.all.attempts + this.all.waiting === held.attempts + held.waiting;
    });
  }

  begin(delivery: Delivery): void {
    this.change(delivery, 1, 0, delivery.envelope.body.length * COPIES, 0);
  }

  turnedSlow(delivery: Delivery): void {
    this.change(delivery, 0, 1, 0, 0);
  }

  end(delivery: Delivery, wasSlow: boolean): void {
    this.change(delivery, -1, wasSlow ? -1 : 0, -delivery.envelope.body.length * COPIES, 0);
  }

  waits(delivery: Delivery): void {
    this.change(delivery, 0, 0, 0, 1);
  }

  waitsNoLonger(delivery: Delivery): void {
    this.change(delivery, 0, 0, 0, -1);
  }

  private change(delivery: Delivery, attempts: number, slow: number, bytes: number, waiting: number): void {
    add(this.all, attempts, slow, bytes, waiting);
    for (const { key } of delivery.destination.shares) {
      let group = this.groups.get(key);
      if (group === undefined) {
        group = emptyHolding();
        this.groups.set(key, group);
      }
      add(group, attempts, slow, bytes, waiting);
      if (group.attempts === 0 && group.waiting === 0) this.groups.delete(key);
    }
  }
}

const NOTHING = emptyHolding();

function emptyHolding(): Holding {
  return { attempts: 0, slow: 0, bytes: 0, waiting: 0 };
}

function add(holding: Holding, attempts: number, slow: number, bytes: number, waiting: number): void {
  holding.attempts += attempts;
  holding.slow += slow;
  holding.bytes += bytes;
  holding.waiting += waiting;
}

function atLeastOne(places: number): number {
  return Math.max(1, Math.floor(places));
}
