import { Circuit, type CircuitOptions } from './circuit';

export interface BulkheadOptions {
  /** Attempts at once. */
  readonly concurrency: number;
  /** Longest time that a delivery may wait here for its turn while its source message is held. */
  readonly maxWaitMs: number;
  readonly circuit: CircuitOptions;
}

/** How much one slow completion moves the average. */
const AVERAGE_WEIGHT = 0.1;
/** Parked deliveries never wait longer than this for their turn, however many they are. */
const MAX_RESERVATION_MS = 300_000;

/**
 * Keeps one destination from using what the others need: a limit on its attempts, an estimate of how long the
 * next one would wait, and its circuit.
 */
export class Bulkhead {
  readonly circuit: Circuit;
  private active = 0;
  private activeRetries = 0;
  /** Start times of the attempts under way, oldest first. */
  private readonly starts = new Map<symbol, number>();
  private averageMs = 0;
  private nextTurnAt = 0;

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
    const oldest = this.starts.values().next().value ?? now;
    const attemptMs = Math.max(this.averageMs, now - oldest);
    return ((waiting + 1) * attemptMs) / this.options.concurrency > this.options.maxWaitMs;
  }

  enter(now: number, isRetry: boolean): symbol {
    const turn = Symbol();
    this.active++;
    if (isRetry) this.activeRetries++;
    this.starts.set(turn, now);
    return turn;
  }

  leave(turn: symbol, now: number, isRetry: boolean): void {
    const start = this.starts.get(turn) ?? now;
    this.starts.delete(turn);
    this.active--;
    if (isRetry) this.activeRetries--;
    this.averageMs += (now - start - this.averageMs) * AVERAGE_WEIGHT;
  }

  /**
   * Delay after which a delivery that gets no turn now should ask again. Each call reserves the next turn at the
   * pace at which the destination answers, so that a long line of parked deliveries comes back one by one
   * instead of all at once, and never crowds out other destinations' retries.
   */
  reserveTurn(now: number): number {
    const paceMs = Math.max(this.averageMs, 1) / Math.max(1, this.options.concurrency >> 1);
    const earliest = now + Math.max(this.circuit.closedIn(now), 250);
    this.nextTurnAt = Math.max(earliest, this.nextTurnAt + paceMs);
    if (this.nextTurnAt - earliest > MAX_RESERVATION_MS) this.nextTurnAt = earliest;
    return Math.ceil(this.nextTurnAt - now);
  }
}
