import { monotonicMs } from '../time/monotonic';
import { Circuit, type CircuitOptions } from './circuit';

export interface BulkheadOptions {
  /** Attempts at once. */
  readonly concurrency: number;
  /** Longest time that a delivery may wait here for its turn while its source message is held. */
  readonly maxWaitMs: number;
  readonly circuit: CircuitOptions;
}

/** Later than any start. */
const FREE = Number.POSITIVE_INFINITY;
/** How much one slow completion moves the average. */
const AVERAGE_WEIGHT = 0.1;
/** Asking again too early costs a look at Redis; a turn reserved too late, at a bad moment's pace, costs time. */
const SLOWEST_PACE_MS = 5;
/** Parked deliveries never wait longer than this for their turn, however many they are. */
const MAX_RESERVATION_MS = 300_000;

/**
 * Keeps one destination from using what the others need: a limit on its attempts, an estimate of how long the
 * next one would wait, and its circuit.
 */
export class Bulkhead {
  readonly circuit: Circuit;
  private activeRetries = 0;
  /** Start of the attempt in each place, FREE where there is none. Numbers only, so that nothing is retained. */
  private readonly starts: number[] = [];
  private readonly freePlaces: number[] = [];
  private active = 0;
  private averageMs = 0;
  private nextTurnAt = 0;
  private oldestAt = 0;
  private lookedAt = Number.NaN;

  constructor(private readonly options: BulkheadOptions) {
    this.circuit = new Circuit(options.circuit);
  }

  get hasRoom(): boolean {
    return this.active < this.options.concurrency;
  }

  /** Retries leave half of the room to fresh events. */
  get hasRoomForRetry(): boolean {
    return this.hasRoom && this.activeRetries < Math.max(1, this.options.concurrency >> 1);
  }

  get isIdle(): boolean {
    return this.active === 0;
  }

  /** Whether one more delivery behind `waiting` others would wait too long for its turn. */
  wouldWaitTooLong(waiting: number, now: number): boolean {
    const attemptMs = Math.max(this.averageMs, now - this.oldestStart(now));
    return ((waiting + 1) * attemptMs) / this.options.concurrency > this.options.maxWaitMs;
  }

  /** Takes a place for an attempt that starts now; `leave` gives it back. */
  enter(now: number, isRetry: boolean): number {
    const place = this.freePlaces.pop() ?? this.starts.length;
    this.starts[place] = now;
    this.active++;
    if (isRetry) this.activeRetries++;
    return place;
  }

  leave(place: number, now: number, isRetry: boolean): void {
    const startedAt = this.starts[place] ?? now;
    const durationMs = now - startedAt;
    if (startedAt === this.oldestAt) this.lookedAt = Number.NaN;
    this.starts[place] = FREE;
    this.freePlaces.push(place);
    this.active--;
    if (isRetry) this.activeRetries--;
    this.averageMs += (durationMs - this.averageMs) * AVERAGE_WEIGHT;
  }

  /**
   * Delay after which a delivery that gets no turn now should ask again. Each call reserves the next turn at the
   * pace at which the destination answers, so that a long line of parked deliveries comes back one by one
   * instead of all at once, and never crowds out other destinations' retries.
   */
  reserveTurn(): number {
    const now = monotonicMs();
    const paceMs = Math.min(this.averageMs / this.options.concurrency, SLOWEST_PACE_MS);
    const earliest = now + Math.max(this.circuit.closedIn(), 250);
    this.nextTurnAt = Math.max(earliest, this.nextTurnAt + paceMs);
    if (this.nextTurnAt - earliest > MAX_RESERVATION_MS) this.nextTurnAt = earliest;
    return Math.ceil(this.nextTurnAt - now);
  }

  /** Looked for once a millisecond: it is asked for with every delivery that must wait. */
  private oldestStart(now: number): number {
    if (now === this.lookedAt) return this.oldestAt;
    this.lookedAt = now;
    this.oldestAt = now;
    for (const start of this.starts) if (start < this.oldestAt) this.oldestAt = start;
    return this.oldestAt;
  }
}
