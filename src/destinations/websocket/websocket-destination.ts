import { errorCode } from '../../errors';
import { composeBody } from '../../events/body';
import type { AbortReason, Delivery, Destination, Outcome, RunningAttempt } from '../../pipeline/delivery';
import { type DestinationTarget, TargetedDestination } from '../destination-target';
import type { Append, Retention, StreamKeys } from './stream';

export interface WebSocketTarget extends DestinationTarget {
  readonly keys: StreamKeys;
  readonly retention: Retention;
  /** Leave `apikey` out of what is sent. */
  readonly stripApikey: boolean;
}

const TIMEOUT_MS = 10_000;

/**
 * Hands events to the gateways' WebSocket clients by way of a Redis stream: delivered is what the stream holds. That
 * Redis is away is our own fault, never the destination's.
 */
export class WebSocketDestination extends TargetedDestination<WebSocketTarget> implements Destination {
  readonly kind = 'websocket';
  readonly timeoutMs = TIMEOUT_MS;

  constructor(
    target: WebSocketTarget,
    private readonly append: Append,
  ) {
    super(target);
  }

  start({ id, envelope }: Delivery): RunningAttempt {
    const { keys, retention, stripApikey, normalise } = this.target;
    let abort: (reason: AbortReason) => void = () => {};
    const cutShort = new Promise<Outcome>((resolve) => {
      abort = (reason) => resolve({ kind: 'interrupted', code: reason.toUpperCase() });
    });
    const body = composeBody(envelope, { stripApikey, normalise });
    const appended = this.append(keys, { deliveryId: id, event: envelope.event }, body, retention).then(
      (): Outcome => ({ kind: 'delivered' }),
      (error: unknown): Outcome => ({ kind: 'interrupted', code: errorCode(error) }),
    );
    return { outcome: Promise.race([appended, cutShort]), abort };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
