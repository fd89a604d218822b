import { errorCode } from '../errors';
import type { AbortReason, Outcome, RunningAttempt } from '../pipeline/delivery';

/** An attempt that begins once what it needs is there; where it is aborted before, it ends at once and sends nothing. */
export class PendingAttempt<T> implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  private resolve: (outcome: Outcome | Promise<Outcome>) => void = () => {};
  private sending: RunningAttempt | undefined;
  private aborted = false;

  /** @param outcomeOf of an attempt whose need cannot be met; where it is left out, that is our own fault */
  constructor(
    needed: Promise<T>,
    private readonly send: (needed: T) => RunningAttempt,
    outcomeOf: (error: unknown) => Outcome = (error) => ({ kind: 'interrupted', code: errorCode(error) }),
  ) {
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
    needed
      .then(
        (found) => this.begin(found),
        (error: unknown) => this.resolve(outcomeOf(error)),
      )
      // A destination that throws breaks its contract: an attempt that is made at once ends like this, too.
      .catch((error: unknown) => this.resolve({ kind: 'interrupted', code: errorCode(error) }));
  }

  abort(reason: AbortReason): void {
    if (this.sending !== undefined) return this.sending.abort(reason);
    this.aborted = true;
    this.resolve({ kind: 'interrupted', code: reason === 'shutdown' ? 'SHUTDOWN' : 'NOT_SENT' });
  }

  look(now: number): void {
    this.sending?.look?.(now);
  }

  private begin(found: T): void {
    if (this.aborted) return;
    this.sending = this.send(found);
    this.resolve(this.sending.outcome);
  }
}
