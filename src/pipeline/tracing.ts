import type { Envelope } from '../events/envelope';
import type { AttemptRecord, Delivery } from './delivery';
import type { Settlement } from './message';

/** Follows events to each of their attempts, where an operator asked for it; must not throw. */
export interface Tracing {
  /** An event was received. */
  received(source: string, envelope: Envelope): EventTrace;
  /** An attempt begins. It belongs to the trace of its event, also where another worker received that. */
  attempt(delivery: Delivery, attempt: number): AttemptTrace;
}

export interface EventTrace {
  /** What names it elsewhere, as W3C's Trace Context writes it. */
  readonly traceparent: string;
  settled(settlement: Settlement): void;
}

export interface AttemptTrace {
  readonly traceparent: string;
  ended(record: AttemptRecord): void;
}
