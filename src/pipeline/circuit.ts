import { monotonicMs } from '../time/monotonic';
import { type Destination, type Endpoint, isElsewhere, type Outcome, type ParkReason } from './delivery';

/** Why nothing is attempted: it fails at the moment, or has done so for too long (or a person wants none). */
export type Obstacle = Extract<ParkReason, 'circuit-open' | 'suspended'>;

/** What opened a circuit, or kept it open. */
export interface CircuitFault {
  /** Empty where it was a fault of our own. */
  readonly code: string;
  /** 0: there was no answer. */
  readonly status: number;
  /** The destination says that it is gone for good. */
  readonly gone: boolean;
  /** For how long nothing has succeeded, milliseconds. */
  readonly failingMs: number;
  /** It was seen by the one attempt that an open circuit lets through. */
  readonly probed: boolean;
  /** Fingerprint of where the attempt was sent, which may be elsewhere by now; empty where that is not known. */
  readonly print: string;
}

/** Where an attempt is sent. */
export type AttemptTarget = Pick<Destination, 'timeoutMs' | 'endpoint'>;

/** What all workers know together of one circuit (health/health-board.ts). Nothing of it waits. */
export interface SharedCircuit {
  opened(fault: CircuitFault): void;
  /** The attempt that it let through succeeded. */
  closed(): void;
  /** Asks to be the worker that lets one attempt through: `granted`, `adopt` or `close` follows. */
  claim(): void;
  /** That attempt begins, and may take this long. */
  probing(mostMs: number): void;
}

export interface CircuitOptions {
  /** Consecutive failures that open it. */
  readonly failures: number;
  readonly openMs: number;
  /** Called with +1 when it opens and -1 when it closes. */
  readonly onChange: (change: 1 | -1) => void;
  /** Left out where a worker is alone. */
  readonly shared?: SharedCircuit;
  /** Whether a failure is one of too many attempts at once, and says nothing more. */
  readonly isOfLoad?: (outcome: Outcome) => boolean;
}

/**
 * | state    | lets through         | ends with                                                                  |
 * |----------|----------------------|----------------------------------------------------------------------------|
 * | closed   | everything           | `failures` failures in a row, or those of another worker: open             |
 * | open     | nothing until a time | that time, and a delivery that waits: claiming                             |
 * | claiming | nothing              | this worker may: chosen; another one does: open                            |
 * | chosen   | one attempt          | its begin: probing; none for a while: open, and another worker may         |
 * | probing  | nothing              | its success: closed; another address: open, for no time; anything else: open for as long again |
 *
 * Whatever its state, a circuit that another worker, or a person, closes or suspends is closed or open.
 */
type CircuitState =
  | { readonly kind: 'closed'; readonly failures: number; readonly since: number }
  | { readonly kind: 'open' | 'claiming' | 'chosen'; readonly until: number }
  | { readonly kind: 'probing'; readonly to: AttemptTarget };

const CLOSED: CircuitState = { kind: 'closed', failures: 0, since: 0 };
/** How soon to ask again while one attempt finds out whether the destination is back. */
const PROBE_MS = 1000;
/** A claim that nobody answers is taken to be granted: better two workers probe than none. */
const CLAIM_MS = 2000;
/** How long a worker that was chosen has something to attempt; less than its claim lasts. */
export const CHOSEN_MS = 8000;
const REFUSED: Outcome = { kind: 'interrupted', code: 'CIRCUIT_OPEN' };
const NOWHERE: AttemptTarget = { timeoutMs: 0 };

/** Stops attempts to a destination that fails over and over, and lets one through when the time is up. */
export class Circuit {
  private state: CircuitState = CLOSED;
  private why: Obstacle = 'circuit-open';
  private openedAt = 0;

  constructor(private readonly options: CircuitOptions) {}

  get isOpen(): boolean {
    return this.state.kind !== 'closed';
  }

  /** Whether the one attempt that it lets through is this worker's to make. */
  get isChosen(): boolean {
    return this.state.kind === 'chosen' && this.state.until > monotonicMs();
  }

  /** It is being found out whether an attempt may be made. */
  get isAsking(): boolean {
    return this.state.kind === 'claiming';
  }

  /** Why it is open. */
  get obstacle(): Obstacle {
    return this.why;
  }

  /** Nobody asks it any more: it is not counted as open. */
  forget(): void {
    if (this.isOpen) this.options.onChange(-1);
    this.state = CLOSED;
  }

  /** Milliseconds until an attempt is let through: 0 when one may start now. A caller that asks when the time is up has something to attempt. */
  closedIn(): number {
    this.endTime();
    switch (this.state.kind) {
      case 'closed':
      case 'chosen':
        return 0;
      case 'claiming':
      case 'probing':
        return PROBE_MS;
      case 'open':
        return Math.max(0, this.state.until - monotonicMs());
    }
  }

  /** This worker may let one attempt through. */
  granted(): void {
    if (this.state.kind === 'claiming') this.state = { kind: 'chosen', until: monotonicMs() + CHOSEN_MS };
  }

  /** All workers know it to be open for as long from now on. */
  adopt(why: Obstacle, openMs: number): void {
    const isNew = this.why !== why;
    this.why = why;
    const until = this.after(openMs);
    if (this.state.kind === 'closed') {
      this.openedAt = monotonicMs();
      this.enterOpen(until);
    } else if (this.state.kind !== 'probing' && (this.state.kind !== 'chosen' || isNew))
      this.state = { kind: 'open', until };
  }

  /** All workers know it to be closed. */
  close(): void {
    if (!this.isOpen) return;
    this.state = CLOSED;
    this.why = 'circuit-open';
    this.options.onChange(-1);
  }

  /** The destination has another address than before: an attempt that finds out about that one is not waited for. */
  moved(endpoint: Endpoint): void {
    const { state } = this;
    if (state.kind === 'probing' && isElsewhere(endpoint, printOf(state.to)))
      this.state = { kind: 'open', until: monotonicMs() };
  }

  /** Makes the attempt where the circuit lets it through; else the outcome is an interruption, `CIRCUIT_OPEN`. */
  async run(attempt: () => Promise<Outcome>, to: AttemptTarget = NOWHERE): Promise<Outcome> {
    if (this.isOpen) return this.closedIn() > 0 ? REFUSED : this.probe(attempt, to);
    const outcome = await attempt();
    // What was under way when the circuit opened neither closes it nor keeps it open for longer.
    if (this.state.kind === 'closed') this.count(outcome, this.state.failures, this.state.since, to);
    return outcome;
  }

  private endTime(): void {
    const { state } = this;
    if (!('until' in state) || state.until > monotonicMs()) return;
    const { shared } = this.options;
    if (shared === undefined) this.state = { kind: 'chosen', until: Number.POSITIVE_INFINITY };
    else if (state.kind === 'claiming') this.granted();
    else {
      this.state = { kind: 'claiming', until: monotonicMs() + CLAIM_MS };
      shared.claim();
    }
  }

  private count(outcome: Outcome, failuresBefore: number, sinceBefore: number, to: AttemptTarget): void {
    if (isGone(outcome)) this.open(outcome, sinceBefore || monotonicMs(), false, to);
    else if (outcome.kind === 'failed') {
      if (this.options.isOfLoad?.(outcome) === true) return;
      const failures = failuresBefore + 1;
      const since = failuresBefore === 0 ? monotonicMs() : sinceBefore;
      if (failures < this.options.failures) this.state = { kind: 'closed', failures, since };
      else this.open(outcome, since, false, to);
    } else if (failuresBefore > 0) this.state = CLOSED;
  }

  /** An attempt that was not made, or ended by our own fault, says nothing about the destination: open again. */
  private async probe(attempt: () => Promise<Outcome>, to: AttemptTarget): Promise<Outcome> {
    const probing: CircuitState = { kind: 'probing', to };
    this.state = probing;
    this.options.shared?.probing(to.timeoutMs);
    let outcome: Outcome = REFUSED;
    try {
      outcome = await attempt();
      return outcome;
    } finally {
      // Closed by somebody else meanwhile, it is closed; where it has another address, this says nothing of that.
      if (this.state === probing) this.endProbe(outcome, to);
    }
  }

  private endProbe(outcome: Outcome, to: AttemptTarget): void {
    const isBack = (outcome.kind === 'delivered' || outcome.kind === 'rejected') && !isGone(outcome);
    if (!isBack) return this.open(outcome, this.openedAt, true, to);
    this.close();
    this.options.shared?.closed();
  }

  private open(outcome: Outcome, since: number, probed: boolean, to: AttemptTarget): void {
    const gone = isGone(outcome);
    if (gone) this.why = 'suspended';
    const until = this.after(this.why === 'suspended' ? SUSPENDED_MS : this.options.openMs);
    if (this.isOpen) this.state = { kind: 'open', until };
    else {
      this.openedAt = since;
      this.enterOpen(until);
    }
    const failingMs = monotonicMs() - since;
    this.options.shared?.opened({ ...faultOf(outcome), gone, failingMs, probed, print: printOf(to) });
  }

  private after(ms: number): number {
    return monotonicMs() + ms;
  }

  private enterOpen(until: number): void {
    this.state = { kind: 'open', until };
    this.options.onChange(1);
  }
}

/** A suspended destination is probed once a day. */
export const SUSPENDED_MS = 86_400_000;

function printOf(to: AttemptTarget): string {
  return to.endpoint?.().print ?? '';
}

function isGone(outcome: Outcome): boolean {
  return (outcome.kind === 'failed' || outcome.kind === 'rejected') && outcome.gone === true;
}

function faultOf(outcome: Outcome): { readonly code: string; readonly status: number } {
  if (outcome.kind !== 'failed' && outcome.kind !== 'rejected') return { code: '', status: 0 };
  return { code: outcome.code, status: outcome.status ?? 0 };
}
