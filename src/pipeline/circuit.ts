import { monotonicMs } from '../time/monotonic';
import type { Outcome } from './delivery';

export interface CircuitOptions {
  /** Consecutive failures that open it. */
  readonly failures: number;
  readonly openMs: number;
  /** Called with +1 when it opens and -1 when it closes. */
  readonly onChange: (change: 1 | -1) => void;
}

/**
 * | state     | lets through        | ends with                                              |
 * |-----------|---------------------|--------------------------------------------------------|
 * | closed    | everything          | `failures` failures in a row: open                     |
 * | open      | nothing until a time | that time, and somebody who tries: half-open           |
 * | half-open | one attempt         | its success: closed; anything else: open for as long again |
 */
type CircuitState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly until: number }
  | { readonly kind: 'half-open' };

const CLOSED: CircuitState = { kind: 'closed', failures: 0 };
/** How soon to ask again while one attempt finds out whether the destination is back. */
const PROBE_MS = 1000;
const REFUSED: Outcome = { kind: 'interrupted', code: 'CIRCUIT_OPEN' };

/** Stops attempts to a destination that fails over and over, and lets one through when the time is up. */
export class Circuit {
  private state: CircuitState = CLOSED;

  constructor(private readonly options: CircuitOptions) {}

  /** Nobody asks it any more: it is not counted as open. */
  forget(): void {
    if (this.state.kind !== 'closed') this.options.onChange(-1);
    this.state = CLOSED;
  }

  /** Milliseconds until an attempt is let through: 0 when one may start now. */
  closedIn(): number {
    switch (this.state.kind) {
      case 'closed':
        return 0;
      case 'half-open':
        return PROBE_MS;
      case 'open':
        return Math.max(0, this.state.until - monotonicMs());
    }
  }

  /** Makes the attempt where the circuit lets it through; else the outcome is an interruption, `CIRCUIT_OPEN`. */
  async run(attempt: () => Promise<Outcome>): Promise<Outcome> {
    if (this.state.kind !== 'closed') return this.closedIn() > 0 ? REFUSED : this.probe(attempt);
    const outcome = await attempt();
    // What was under way when the circuit opened neither closes it nor keeps it open for longer.
    if (this.state.kind === 'closed') this.count(outcome, this.state.failures);
    return outcome;
  }

  private count({ kind }: Outcome, failuresBefore: number): void {
    if (kind === 'failed') {
      const failures = failuresBefore + 1;
      this.state = failures < this.options.failures ? { kind: 'closed', failures } : this.opened();
      if (this.state.kind === 'open') this.options.onChange(1);
    } else if (failuresBefore > 0) this.state = CLOSED;
  }

  /** An attempt that was not made, or ended by our own fault, says nothing about the destination: open again. */
  private async probe(attempt: () => Promise<Outcome>): Promise<Outcome> {
    this.state = { kind: 'half-open' };
    let isBack = false;
    try {
      const outcome = await attempt();
      isBack = outcome.kind === 'delivered' || outcome.kind === 'rejected';
      return outcome;
    } finally {
      this.state = isBack ? CLOSED : this.opened();
      if (isBack) this.options.onChange(-1);
    }
  }

  private opened(): CircuitState {
    return { kind: 'open', until: monotonicMs() + this.options.openMs };
  }
}
