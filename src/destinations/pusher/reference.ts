import { errorCode } from '../../errors';
import type { AbortReason, Delivery, Outcome, RunningAttempt } from '../../pipeline/delivery';
import type { Referrer } from './destination';

/** Where the full event can be read. */
export interface Reference {
  readonly url: string;
  /** Epoch seconds. */
  readonly expires: number;
}

/** Keeps a body that is too large; rejects with a RelayError where it cannot. */
export type Keep = (delivery: Delivery, body: Buffer) => Promise<Reference>;

/** Codes of what can never be kept. */
const NEVER: ReadonlySet<string> = new Set(['REFERENCE_TOO_LARGE']);

/** Sends a stub with a link to the full event, once that is kept. */
export function referrer(keep: Keep): Referrer {
  return (delivery, body, send) =>
    new ReferencedAttempt(keep(delivery, body), (reference) => send(stubOf(delivery, body, reference)));
}

function stubOf({ envelope }: Delivery, body: Buffer, { url, expires }: Reference): Buffer {
  const { event, instance, dateTime } = envelope;
  const reference = { url, bytes: body.length, expires: new Date(expires * 1000).toISOString() };
  return Buffer.from(JSON.stringify({ event, instance, date_time: dateTime, reference }));
}

class ReferencedAttempt implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  private sending: RunningAttempt | undefined;
  private aborted: AbortReason | undefined;

  constructor(
    kept: Promise<Reference>,
    private readonly send: (reference: Reference) => RunningAttempt,
  ) {
    this.outcome = kept.then(
      (reference) => this.begin(reference),
      (error: unknown) => outcomeOf(error),
    );
  }

  abort(reason: AbortReason): void {
    this.aborted ??= reason;
    this.sending?.abort(reason);
  }

  look(now: number): void {
    this.sending?.look?.(now);
  }

  private begin(reference: Reference): Outcome | Promise<Outcome> {
    if (this.aborted !== undefined) return { kind: 'interrupted', code: 'NOT_SENT' };
    this.sending = this.send(reference);
    return this.sending.outcome;
  }
}

/** Redis that cannot take it is our own fault. */
function outcomeOf(error: unknown): Outcome {
  const code = errorCode(error);
  if (!NEVER.has(code)) return { kind: 'interrupted', code };
  const answer = error instanceof Error ? error.message : '';
  return { kind: 'rejected', code, reason: 'oversize', answer };
}
