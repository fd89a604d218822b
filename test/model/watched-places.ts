import type { Delivery } from '../../src/pipeline/delivery';
import { Places, type PlacesOptions } from '../../src/pipeline/places';

/** What a group, or everybody together, holds as the model counts it. */
interface Tally {
  underWay: number;
  slow: number;
  waiting: number;
  bytes: number;
}

/** The places of one process, counted by the model as well; the first thing that the shares do not allow is kept. */
export class WatchedPlaces extends Places {
  /** What was wrong, in words. */
  excess: string | undefined;
  private readonly everybody = emptyTally();
  private readonly tallies = new Map<string, Tally>();
  /** The one that left its line last. */
  private taken: Delivery | undefined;

  constructor(private readonly limits: PlacesOptions) {
    super(limits);
  }

  override begin(delivery: Delivery): void {
    super.begin(delivery);
    this.add(delivery, { underWay: 1, bytes: bytesOf(delivery) });
    this.checkShares(delivery);
  }

  override turnedSlow(delivery: Delivery): void {
    super.turnedSlow(delivery);
    this.add(delivery, { slow: 1 });
  }

  override end(delivery: Delivery, wasSlow: boolean, wasHung = false): void {
    super.end(delivery, wasSlow, wasHung);
    this.add(delivery, { underWay: -1, slow: wasSlow ? -1 : 0, bytes: -bytesOf(delivery) });
  }

  override waits(delivery: Delivery): void {
    super.waits(delivery);
    this.add(delivery, { waiting: 1 });
  }

  override waitsNoLonger(delivery: Delivery): void {
    super.waitsNoLonger(delivery);
    this.add(delivery, { waiting: -1 });
    this.taken = delivery;
  }

  /** It is parked without an attempt: there must have been no room for it. */
  parked(delivery: Delivery, hasRoom: boolean, waiting: number): void {
    const isFirst = waiting === 0 || this.taken === delivery;
    if (isFirst && hasRoom && this.fitsIn(delivery))
      this.excess ??= `${delivery.id} is parked although there is room for it`;
  }

  /** Of a group that has nothing under way. */
  private fitsIn(delivery: Delivery): boolean {
    const { most, maxBytes } = this.limits;
    const bytes = bytesOf(delivery);
    if (placesOf(this.everybody, most) >= most || this.everybody.bytes + bytes > maxBytes) return false;
    return delivery.destination.shares.every(({ key, part }, index) => {
      const held = this.tallies.get(key) ?? emptyTally();
      if (index === 0) return held.underWay === 0;
      const own = Math.floor(most * part);
      return held.underWay - held.slow < own && held.slow < own && held.bytes + bytes <= maxBytes * part;
    });
  }

  private checkShares({ destination: { shares } }: Delivery): void {
    const { most } = this.limits;
    for (const { key, part } of shares) {
      const held = this.tallies.get(key) ?? emptyTally();
      const places = held.underWay - held.slow;
      const othersWait = this.everybody.waiting > held.waiting;
      if (othersWait && places > Math.max(1, Math.floor(most * part)))
        this.excess ??= `${key} holds ${places} places while others wait`;
    }
  }

  private add(delivery: Delivery, by: Partial<Tally>): void {
    addTo(this.everybody, by);
    for (const { key } of delivery.destination.shares) {
      const held = this.tallies.get(key) ?? emptyTally();
      this.tallies.set(key, held);
      addTo(held, by);
    }
  }
}

function emptyTally(): Tally {
  return { underWay: 0, slow: 0, waiting: 0, bytes: 0 };
}

function addTo(tally: Tally, { underWay = 0, slow = 0, waiting = 0, bytes = 0 }: Partial<Tally>): void {
  tally.underWay += underWay;
  tally.slow += slow;
  tally.waiting += waiting;
  tally.bytes += bytes;
}

/** Slow ones have a pool of their own, of the same size. */
function placesOf({ underWay, slow }: Tally, most: number): number {
  return underWay - Math.min(slow, most);
}

function bytesOf({ envelope: { body } }: Delivery): number {
  return body.length * 2;
}
