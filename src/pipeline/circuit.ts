import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
} from 'cockatiel';
import type { Outcome } from './delivery';

export interface CircuitOptions {
  /** Consecutive failures that open it. */
  readonly failures: number;
  readonly openMs: number;
  /** Called with +1 when it opens and -1 when it closes. */
  readonly onChange: (change: 1 | -1) => void;
}

/** Stops attempts to a destination that fails over and over, and lets one through when the time is up. */
export class Circuit {
  /** Made at the first failure: most of many thousand destinations never fail. */
  private policy: CircuitBreakerPolicy | undefined;
  private openUntil = 0;
  /** Whether the last attempt that ended failed. */
  private hasFailed = false;

  constructor(private readonly options: CircuitOptions) {}

  /** Milliseconds until an attempt is let through: 0 when one may start now. */
  closedIn(now: number): number {
    const { state } = this;
    if (state === CircuitState.Closed) return 0;
    if (state === CircuitState.HalfOpen) return 1000;
    return Math.max(0, this.openUntil - now);
  }

  /** A closed circuit lets everything through; the policy is told of what may change that, which is little. */
  async run(attempt: () => Promise<Outcome>): Promise<Outcome> {
    if (this.policy !== undefined && this.state !== CircuitState.Closed) return this.policy.execute(attempt);
    const outcome = await attempt();
    const failed = this.isFailure(outcome);
    if ((failed || this.hasFailed) && this.state === CircuitState.Closed) {
      this.hasFailed = failed;
      this.policy ??= this.createPolicy();
      await this.policy.execute(() => outcome);
    }
    return outcome;
  }

  private get state(): CircuitState {
    return this.policy?.state ?? CircuitState.Closed;
  }

  private createPolicy(): CircuitBreakerPolicy {
    const { failures, openMs, onChange } = this.options;
    const policy = circuitBreaker(
      handleWhenResult((result) => this.isFailure(result as Outcome)),
      { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failures) },
    );
    policy.onBreak(() => {
      if (this.openUntil === 0) onChange(1);
      // A little later than the policy's own clock, so that it never refuses what closedIn lets through.
      this.openUntil = Date.now() + openMs + 5;
    });
    policy.onReset(() => {
      if (this.openUntil !== 0) onChange(-1);
      this.openUntil = 0;
    });
    return policy;
  }

  /** What was not tried, or failed by our own fault, says nothing about the destination: it closes no open circuit. */
  private isFailure({ kind }: Outcome): boolean {
    if (kind === 'failed') return true;
    return (kind === 'interrupted' || kind === 'discarded') && this.state === CircuitState.HalfOpen;
  }
}
