import type { Envelope } from '../events/envelope';
import type { Normalise } from '../events/normalise';
import type { Delivery, Destination, DestinationId, Endpoint, RunningAttempt } from '../pipeline/delivery';
import type { Limits } from '../pipeline/destination-limits';
import type { Share } from '../pipeline/places';
import { PendingAttempt } from './pending-attempt';

/** Makes of an event what a destination wants, where that takes more than the event itself. */
export interface Preparing {
  /** At once where it can. Rejects where the event cannot be sent yet. */
  prepare(delivery: Delivery, normalise: Normalise): Envelope | Promise<Envelope>;
}

/** The destination as it is, or with its events prepared where it asks for that. */
export function prepared(destination: Destination, preparing: Preparing | undefined): Destination {
  const { normalise } = destination;
  const isAsked = normalise?.lid === true || normalise?.media === 'link';
  if (preparing === undefined || normalise === undefined || !isAsked) return destination;
  return new PreparedDestination(destination, preparing, normalise);
}

/** A destination whose events are prepared before each attempt. Those behind one that is not ready wait: they keep their order. */
class PreparedDestination implements Destination {
  readonly id: DestinationId;
  readonly kind: string;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly shares: readonly Share[];
  readonly limits?: Limits;
  readonly address?: string;
  /** Of the event that was asked for last and is not ready. */
  private last: Promise<unknown> | undefined;

  constructor(
    private readonly inner: Destination,
    private readonly preparing: Preparing,
    readonly normalise: Normalise,
  ) {
    const { id, kind, maxAttempts, timeoutMs, shares, limits, address } = inner;
    this.id = id;
    this.kind = kind;
    this.maxAttempts = maxAttempts;
    this.timeoutMs = timeoutMs;
    this.shares = shares;
    if (limits !== undefined) this.limits = limits;
    if (address !== undefined) this.address = address;
  }

  endpoint(): Endpoint {
    return this.inner.endpoint?.() ?? { shown: '', print: '' };
  }

  start(delivery: Delivery, attempt: number): RunningAttempt {
    const ready = this.preparing.prepare(delivery, this.normalise);
    const send = (envelope: Envelope): RunningAttempt => this.inner.start({ ...delivery, envelope }, attempt);
    if (!(ready instanceof Promise) && this.last === undefined) return send(ready);
    return new PendingAttempt(this.inTurn(ready), send);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  private inTurn(ready: Envelope | Promise<Envelope>): Promise<Envelope> {
    // It may fail while those before it wait: a rejection that nobody handles meanwhile would end the process.
    const turn = Promise.allSettled([this.last, ready]).then(() => ready);
    this.last = turn;
    const done = (): void => {
      if (this.last === turn) this.last = undefined;
    };
    turn.then(done, done);
    return turn;
  }
}
