import type { DeliveryId, LaneId } from './delivery';
import { type LaneEvent, type LaneState, laneAfter } from './lane-state';
import type { Submission } from './line';

/** A delivery of a lane, and since when it waits. */
export interface InLane extends Submission {
  readonly since: number;
}

/** The deliveries of one lane that this process holds, the oldest first. */
export class Lane {
  readonly waiting: InLane[] = [];
  /** The next delivery says that this one was given up on. */
  gap: DeliveryId | undefined;
  private current: LaneState = 'unknown';
  private isDoubted = false;

  constructor(
    readonly id: LaneId,
    isOpen: boolean,
  ) {
    if (isOpen) this.current = 'open';
  }

  get state(): LaneState {
    return this.current;
  }

  /** Nothing is under way: it may be forgotten where nothing waits. */
  get isIdle(): boolean {
    return this.current === 'open' || this.current === 'behind' || this.current === 'unknown';
  }

  change(event: LaneEvent): void {
    this.current = laneAfter(this.current, event);
    if (this.current !== 'open' || !this.isDoubted) return;
    this.isDoubted = false;
    this.current = laneAfter(this.current, 'doubted');
  }

  /** What is known of it now, or is being found out, may not hold any more. */
  doubt(): void {
    if (this.isIdle) this.current = laneAfter(this.current, 'doubted');
    else this.isDoubted = true;
  }

  /** The first ones, no more than this many and this many bytes, but one at least. */
  take(most: number, mostBytes: number): InLane[] {
    let bytes = 0;
    let count = 0;
    for (const { delivery } of this.waiting) {
      bytes += delivery.envelope.body.length;
      if (count > 0 && (count >= most || bytes > mostBytes)) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  /** Takes out those whose messages the broker took back: their copies come again, in their order. */
  takeLost(): InLane[] {
    const kept: InLane[] = [];
    const lost: InLane[] = [];
    for (const each of this.waiting) (each.sink.isLost === true ? lost : kept).push(each);
    this.waiting.splice(0, this.waiting.length, ...kept);
    return lost;
  }
}
