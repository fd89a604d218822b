import { errorCode } from '../errors';
import { monotonicMs } from '../time/monotonic';
import { ActiveClock } from './active-clock';
import type { Bulkhead } from './bulkhead';
import {
  type AttemptRecord,
  type Delivery,
  type DestinationId,
  type Outcome,
  type RunningAttempt,
  withoutSigns,
} from './delivery';
import type { Places } from './places';
import { Signal } from './signal';
import type { AttemptTrace, Tracing } from './tracing';

/** How often attempts under way are looked at for being slow or out of time. */
const SWEEP_MS = 50;
/** Less than what is added to the due time of a delivery that is stored as slow. */
const SLOW_STORED_MARGIN_MS = 4000;

export interface AttemptObserver {
  /** Called once for every attempt that ended; must not throw. */
  attemptEnded(delivery: Delivery, record: AttemptRecord): void;
}

export interface AttemptsOptions {
  readonly slowAfterMs: number;
  readonly places: Places;
  readonly observer: AttemptObserver;
  /** Undefined: nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** An attempt to make. The caller has made sure that there is a place, that the bulkhead has room, and that its circuit lets it through. */
export type AttemptRequest =
  | {
      readonly kind: 'direct';
      readonly delivery: Delivery;
      readonly bulkhead: Bulkhead;
      /** Called when the attempt has taken `slowAfterMs`. */
      readonly onSlow: () => void;
    }
  | {
      readonly kind: 'retry';
      readonly delivery: Delivery;
      readonly bulkhead: Bulkhead;
      readonly onSlow: () => void;
      /** Number of the attempt; the direct one was 1. */
      readonly attempt: number;
    };

/**
 * How an attempt goes on, in this order: quick, slow (stored by now), and nearly due where what was stored would soon fire, by a
 * clock that also counts time in which this process did not run.
 */
type Pace = 'quick' | 'slow' | 'nearly-due';

interface UnderWay {
  readonly delivery: Delivery;
  readonly startedAt: number;
  readonly running: RunningAttempt;
  readonly onSlow: () => void;
  /** By a clock that stands still for nobody. */
  readonly startedMs: number;
  pace: Pace;
  index: number;
}

/** Runs attempts, direct ones and retries alike: circuit, timeout, the moment one turns slow, observation. */
export class Attempts {
  /** In no order; each entry knows its index. Not a Set: see sources/rabbitmq/acknowledgements.ts. */
  private readonly underWay: UnderWay[] = [];
  /** What ages are measured by. */
  readonly clock = new ActiveClock();
  private sweeper: NodeJS.Timeout | undefined;
  private idleListeners: (() => void)[] = [];
  private readonly endListeners = new Set<() => void>();
  /** An attempt has ended, or turned slow: there is room for another one. */
  readonly room = new Signal<DestinationId | undefined>();

  constructor(private readonly options: AttemptsOptions) {}

  /** Attempts under way, slow ones included. */
  get count(): number {
    return this.underWay.length;
  }

  /** Makes one attempt; resolves to its record, in which a circuit that opened meanwhile is an interruption. */
  async run(request: AttemptRequest): Promise<AttemptRecord> {
    const { delivery, bulkhead, onSlow } = request;
    const isRetry = request.kind === 'retry';
    const attempt = isRetry ? request.attempt : 1;
    const at = Date.now();
    const startedMs = monotonicMs();
    const startedAt = this.clock.now();
    const place = bulkhead.enter(startedAt, isRetry);
    let entry: UnderWay | undefined;
    let trace: AttemptTrace | undefined;
    let outcome: Outcome;
    try {
      outcome = await bulkhead.circuit.run(() => {
        trace = this.options.tracing?.attempt(delivery, attempt);
        const traced = trace === undefined ? delivery : { ...delivery, traceparent: trace.traceparent };
        const running = delivery.destination.start(traced, attempt);
        entry = { delivery, startedAt, startedMs, running, onSlow, pace: 'quick', index: 0 };
        this.track(entry);
        return running.outcome;
      }, delivery.destination);
    } catch (error) {
      // A destination that throws breaks its contract: a fault of our own.
      outcome = { kind: 'interrupted', code: errorCode(error) };
    }
    bulkhead.leave(place, this.clock.now(), isRetry, outcome);
    if (entry !== undefined) this.untrack(entry, outcome);
    const durationMs = Math.round(monotonicMs() - startedMs);
    const record: AttemptRecord = { attempt, at, durationMs, outcome: withoutSigns(outcome) };
    this.options.observer.attemptEnded(delivery, record);
    trace?.ended(record);
    this.room.emit(delivery.destination.id);
    for (const listener of [...this.endListeners]) listener();
    return record;
  }

  /** Resolves when the next attempt has ended, or after this many milliseconds. */
  nextEnd(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const heard = (): void => {
        clearTimeout(timer);
        this.endListeners.delete(heard);
        resolve();
      };
      const timer = setTimeout(heard, mostMs);
      this.endListeners.add(heard);
    });
  }

  /** Resolves when no attempt is under way. */
  idle(): Promise<void> {
    if (this.underWay.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.idleListeners.push(resolve));
  }

  /** Cuts every attempt under way short; they end as interrupted. */
  interrupt(): void {
    for (const entry of [...this.underWay]) entry.running.abort('shutdown');
  }

  private track(entry: UnderWay): void {
    entry.index = this.underWay.push(entry) - 1;
    this.options.places.begin(entry.delivery);
    this.sweeper ??= setInterval(() => this.sweep(this.clock.now()), SWEEP_MS);
  }

  private untrack(entry: UnderWay, outcome: Outcome): void {
    const last = this.underWay.pop();
    if (last !== undefined && last !== entry) {
      this.underWay[entry.index] = last;
      last.index = entry.index;
    }
    const wasSlow = entry.pace !== 'quick';
    this.options.places.end(entry.delivery, wasSlow, wasSlow && outcome.kind === 'failed');
    if (this.underWay.length === 0) {
      clearInterval(this.sweeper);
      this.sweeper = undefined;
      for (const listener of this.idleListeners.splice(0)) listener();
    }
  }

  private sweep(now: number): void {
    let turnedSlow = false;
    for (const entry of [...this.underWay]) {
      const { pace, delivery, running } = entry;
      const age = now - entry.startedAt;
      running.look?.(now);
      if (pace === 'slow' && this.isNearlyDue(entry)) entry.pace = 'nearly-due';
      // Seen twice: what lies in the socket after such a time is read in between.
      if (age >= delivery.destination.timeoutMs || pace === 'nearly-due') running.abort('timeout');
      if (age < this.options.slowAfterMs || pace !== 'quick') continue;
      entry.pace = 'slow';
      this.options.places.turnedSlow(delivery);
      entry.onSlow();
      turnedSlow = true;
    }
    // They moved to the slow ones' pool. Once for all: each call looks at many lines.
    if (turnedSlow) this.room.emit(undefined);
  }

  private isNearlyDue({ delivery, startedMs }: UnderWay): boolean {
    const mostMs = delivery.destination.timeoutMs + this.options.slowAfterMs + SLOW_STORED_MARGIN_MS;
    return monotonicMs() - startedMs >= mostMs;
  }
}
