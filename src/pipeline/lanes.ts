import { LRUCache } from 'lru-cache';
import { SlotMap } from '../slot-map';
import { TurnBatch } from '../time/turn-batch';
import type { Delivery, LaneId, ParkReason } from './delivery';
import type { DirectAttempts, DirectResult, ResultSink } from './direct-attempts';
import { type InLane, Lane } from './lane';
import { LaneHoldings } from './lane-holdings';
import type { LaneStore } from './parking';

export interface LanesParts {
  readonly directAttempts: Pick<DirectAttempts, 'submit' | 'parkWithoutAttempt' | 'mostWaitMs'>;
  readonly store: LaneStore;
  /** What the time that deliveries wait is measured by. */
  readonly clock: { now(): number };
  /** Messages that the sources hold at the most. */
  readonly mostHeld: number;
  /** The store cannot be asked: lanes wait. */
  readonly onError: (error: unknown) => void;
}

/** Lanes that are remembered. */
const MAX_KNOWN = 100_000;
/** Stored by one step. */
const APPEND_AT_ONCE = 64;
const APPEND_BYTES = 1_048_576;
const ASK_AGAIN_MS = 500;

/**
 * Keeps deliveries of a lane in their order: one is attempted at a time, and as soon as one is stored those behind it are
 * stored behind it. So are those of a lane that is slower than what comes, once so many messages are held for it that those of
 * other lanes do not come. Deliveries for destinations that are not ordered pass.
 *
 * The worker that gets all messages of a queue, in their order, begins with the first that was not acknowledged, and begins the
 * next one only when that has arrived, or is stored before it. So the order in which events arrive first holds, even if another worker
 * goes on with messages that were once its own: what that one sends arrived before, or is the next.
 */
export class Lanes {
  private readonly lanes = new SlotMap<LaneId, Lane>();
  /** Whether they are known to be empty, where nothing is held of them. Made when it is first needed, as it takes memory at once. */
  private known: LRUCache<LaneId, boolean> | undefined;
  private term: object | undefined;
  private isDraining = false;
  private asksAgain: NodeJS.Timeout | undefined;
  private readonly asking = new TurnBatch<Lane>((lanes) => void this.ask(lanes));

  private readonly holdings: LaneHoldings;

  constructor(private readonly parts: LanesParts) {
    this.holdings = new LaneHoldings(parts.mostHeld);
  }

  /** Takes a delivery; `sink` gets its result exactly once. */
  submit(delivery: Delivery, sink: ResultSink, index: number): void {
    const { lane } = delivery;
    if (lane === undefined) return this.parts.directAttempts.submit(delivery, sink, index);
    if (this.isDraining) return sink.resolve(index, 'untouched');
    if (sink.term !== undefined && sink.term !== this.term) this.begin(sink.term);
    this.add(lane, delivery, sink, index);
  }

  /** Stores a delivery whose message has others that were already made; of a lane behind those before it. */
  parkWithoutAttempt(delivery: Delivery, reason: ParkReason, sink: ResultSink, index: number): void {
    if (delivery.lane === undefined)
      return this.parts.directAttempts.parkWithoutAttempt(delivery, reason, sink, index);
    this.add(delivery.lane, delivery, sink, index);
  }

  /** From now on nothing is begun: what waits is stored. */
  drain(): void {
    this.isDraining = true;
    clearTimeout(this.asksAgain);
    for (const [, lane] of this.lanes.entries()) if (lane.isIdle) this.advance(lane);
  }

  /** Somebody else may have got messages since what is known was found out. */
  private begin(term: object): void {
    this.term = term;
    this.known?.clear();
    for (const [, lane] of this.lanes.entries()) lane.doubt();
  }

  private add(id: LaneId, delivery: Delivery, sink: ResultSink, index: number): void {
    let lane = this.lanes.get(id);
    if (lane === undefined) {
      // What is known may not hold any more once something of the lane was stored: it is taken along. Its entry stays, as each new one
      // becomes old in the sense of the collector.
      const wasEmpty = this.known?.get(id) === true;
      if (wasEmpty) this.known?.set(id, false);
      lane = new Lane(id, sink.term !== undefined && wasEmpty);
      this.lanes.set(id, lane);
    }
    this.holdings.add(delivery.envelope.instance);
    lane.waiting.push({ delivery, sink, index, since: this.parts.clock.now() });
    if (lane.isIdle) this.advance(lane);
  }

  private advance(lane: Lane): void {
    for (const each of lane.takeLost()) this.resolve(each, 'untouched');
    if (lane.waiting.length === 0) return this.forget(lane);
    if (this.isDraining || lane.state === 'behind' || this.isOverdue(lane)) void this.append(lane);
    else if (lane.state === 'open') this.attempt(lane);
    else if (this.asksAgain === undefined) {
      lane.change('go');
      this.asking.add(lane);
    }
  }

  /**
   * The first one has waited for as long as it may, and others may be kept from coming by what is held; it is certain that nothing of
   * the lane lies in the store.
   */
  private isOverdue({ state, waiting: [first] }: Lane): boolean {
    if (state !== 'open' || first === undefined) return false;
    if (!this.holdings.isMuch(first.delivery.envelope.instance)) return false;
    const { clock, directAttempts } = this.parts;
    return clock.now() - first.since > directAttempts.mostWaitMs(first.delivery);
  }

  private resolve({ delivery, sink, index }: InLane, result: DirectResult): void {
    this.holdings.leave(delivery.envelope.instance);
    sink.resolve(index, result);
  }

  private forget({ id, state, gap }: Lane): void {
    this.lanes.delete(id);
    if (state !== 'open' || gap !== undefined) return;
    this.known ??= new LRUCache<LaneId, boolean>({ max: MAX_KNOWN });
    this.known.set(id, true);
  }

  private attempt(lane: Lane): void {
    const next = lane.waiting.shift();
    if (next === undefined) return;
    lane.change('go');
    const { gap: laneGap } = lane;
    lane.gap = undefined;
    const delivery = laneGap === undefined ? next.delivery : { ...next.delivery, laneGap };
    const heard = new HeardSink(next.sink, (result) => this.ended(lane, { ...next, delivery }, result));
    this.parts.directAttempts.submit(delivery, heard, 0);
  }

  private ended(lane: Lane, submission: InLane, result: DirectResult): void {
    const { delivery, sink } = submission;
    const isMade = result === 'delivered' || result === 'discarded';
    // Not begun, as the process ends: it is stored before those behind it. Or as its message comes again.
    if (result === 'untouched') lane.waiting.unshift(submission);
    else this.resolve(submission, result);
    if (isMade && delivery.laneGap !== undefined) this.parts.store.gapTold(lane.id, delivery.laneGap);
    lane.change(isMade ? 'made' : 'waiting');
    // Another process may store something before the next one comes.
    if (sink.term === undefined) lane.doubt();
    if (result === 'unstored') return this.giveUp(lane);
    this.advance(lane);
  }

  private async append(lane: Lane): Promise<void> {
    // Behind others it need not be stored where they are gone meanwhile.
    const isForced = lane.state !== 'behind' || this.isDraining;
    lane.change('store');
    const batch = lane.take(APPEND_AT_ONCE, APPEND_BYTES);
    try {
      const { store } = this.parts;
      const deliveries = batch.map(({ delivery }) => delivery);
      const { stored, gap } = await store.append(lane.id, deliveries, isForced);
      for (const each of batch.slice(0, stored)) this.resolve(each, 'stored');
      lane.waiting.unshift(...batch.slice(stored));
      lane.gap = gap;
      lane.change(stored < batch.length ? 'empty' : 'waiting');
    } catch {
      lane.waiting.unshift(...batch);
      lane.change('waiting');
      return this.giveUp(lane);
    }
    this.advance(lane);
  }

  /** The store was closed: the messages go back to the broker. */
  private giveUp(lane: Lane): void {
    for (const each of lane.waiting.splice(0)) this.resolve(each, 'unstored');
    this.lanes.delete(lane.id);
  }

  private async ask(lanes: readonly Lane[]): Promise<void> {
    try {
      const looks = await this.parts.store.look(lanes.map(({ id }) => id));
      for (const [index, lane] of lanes.entries()) {
        const look = looks[index];
        lane.gap = look?.gap;
        lane.change(look === undefined ? 'failed' : look.isWaiting ? 'waiting' : 'empty');
      }
    } catch (error) {
      this.parts.onError(error);
      for (const lane of lanes) lane.change('failed');
      if (!this.isDraining) this.asksAgain ??= setTimeout(() => this.askAgain(), ASK_AGAIN_MS);
    }
    for (const lane of lanes) this.advance(lane);
  }

  private askAgain(): void {
    this.asksAgain = undefined;
    for (const [, lane] of this.lanes.entries()) if (lane.state === 'unknown') this.advance(lane);
  }
}

/** A class, as V8 keeps the getter of an object literal, and with it all that it sees, until the next full collection. */
class HeardSink implements ResultSink {
  constructor(
    private readonly sink: ResultSink,
    private readonly ended: (result: DirectResult) => void,
  ) {}

  get isLost(): boolean {
    return this.sink.isLost === true;
  }

  resolve(_index: number, result: DirectResult): void {
    this.ended(result);
  }
}
