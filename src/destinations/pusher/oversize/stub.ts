import { errorCode, errorText } from '../../../errors';
import type { Delivery, Outcome } from '../../../pipeline/delivery';
import { PendingAttempt } from '../../pending-attempt';
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
    new PendingAttempt(
      store(delivery, body),
      (reference) => send(stubOf(delivery, body, reference)),
      outcomeOf,
    );
}

function stubOf({ envelope }: Delivery, body: Buffer, { url, expires }: Reference): Buffer {
  const { core, event, instance, dateTime } = envelope;
  const reference = { url, bytes: body.length, expires: new Date(expires * 1000).toISOString() };
  // Its receivers know the instance by the key that the whole event has.
  const named = core === 'go' ? { instanceName: instance } : { instance, date_time: dateTime };
  return Buffer.from(JSON.stringify({ event, ...named, reference }));
}

/** Redis that cannot take it is our own fault. */
function outcomeOf(error: unknown): Outcome {
  const code = errorCode(error);
  if (!NEVER.has(code)) return { kind: 'interrupted', code };
  const answer = errorText(error);
  return { kind: 'rejected', code, reason: 'oversize', answer };
}
