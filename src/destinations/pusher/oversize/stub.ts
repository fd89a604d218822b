import { errorCode, errorText } from '../../../errors';
import type { AbortReason, Delivery, Outcome, RunningAttempt } from '../../../pipeline/delivery';
import type { OversizeHandler } from '../pusher-destination';

/** Where the full event can be read. */
export interface Reference {
  readonly url: string;
  /** Epoch seconds. */
  readonly expires: number;
}

/** Keeps a body that is too large; rejects with a RelayError where it cannot. */
export type StoreBody = (delivery: Delivery, body: Buffer) => Promise<Reference>;

/** Codes of what can never be kept. */
const NEVER: ReadonlySet<string> = new Set(['REFERENCE_TOO_LARGE']);

/** Sends a stub with a link to the full event, once that is kept. */
export function oversizeHandler(store: StoreBody): OversizeHandler {
  return (delivery, body, send) =>
    new ReferencedAttempt(store(delivery, body), (reference) => send(stubOf(delivery, body, reference)));
}

function stubOf({ envelope }: Delivery, body: Buffer, { url, expires }: Reference): Buffer {
  const { core, event, instance, dateTime } = envelope;
  const reference = { url, bytes: body.length, expires: new Date(expires * 1000).toISOString() };
  // Its receivers know the instance by the key that the whole event has.
  const named = core === 'go' ? { instanceName: instance } : { instance, date_time: dateTime };
  return Buffer.from(JSON.stringify({ event, ...named, reference }));
}

/** Sends once the event is kept; where it is aborted before, it ends at once and sends nothing. */
class ReferencedAttempt implements RunningAttempt {
  readonly outcome: Promise<Outcome>;
  private resolve: (outcome: Outcome | Promise<Outcome>) => void = () => {};
  private sending: RunningAttempt | undefined;
  private aborted = false;

  constructor(
    kept: Promise<Reference>,
    private readonly send: (reference: Reference) => RunningAttempt,
  ) {
    this.outcome = new Promise((resolve) => {
      this.resolve = resolve;
    });
    kept.then(
      (reference) => this.begin(reference),
      (error: unknown) => this.resolve(outcomeOf(error)),
    );
  }

  abort(reason: AbortReason): void {
    if (this.sending !== undefined) return this.sending.abort(reason);
    this.aborted = true;
    this.resolve({ kind: 'interrupted', code: reason === 'shutdown' ? 'SHUTDOWN' : 'NOT_SENT' });
  }

  look(now: number): void {
    this.sending?.look?.(now);
  }

  private begin(reference: Reference): void {
    if (this.aborted) return;
    this.sending = this.send(reference);
    this.resolve(this.sending.outcome);
  }
}

/** Redis that cannot take it is our own fault. */
function outcomeOf(error: unknown): Outcome {
  const code = errorCode(error);
  if (!NEVER.has(code)) return { kind: 'interrupted', code };
  const answer = errorText(error);
  return { kind: 'rejected', code, reason: 'oversize', answer };
}
