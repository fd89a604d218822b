import { errorCode } from '../../errors';
import { composeBody } from '../../events/body';
import type { Normalise } from '../../events/normalise';
import type {
  AbortReason,
  Delivery,
  Destination,
  DestinationId,
  Outcome,
  RunningAttempt,
} from '../../pipeline/delivery';
import type { Limits } from '../../pipeline/destination-limits';
import type { Share } from '../../pipeline/places';
import type { Append, Retention, StreamKeys } from './stream';

export interface WebSocketTarget {
  readonly id: DestinationId;
  readonly keys: StreamKeys;
  readonly retention: Retention;
  readonly maxAttempts: number;
  readonly shares: readonly Share[];
  readonly limits: Limits;
  /** What is written in another form than it came. */
  readonly normalise?: Normalise | undefined;
  /** Leave `apikey` out of what is sent. */
  readonly stripApikey: boolean;
}

const TIMEOUT_MS = 10_000;

/**
 * Hands events to the gateways' WebSocket clients by way of a Redis stream: delivered is what the stream holds. That
 * Redis is away is our own fault, never the destination's.
 */
export class WebSocketDestination implements Destination {
  readonly kind = 'websocket';
  readonly id: DestinationId;
  readonly maxAttempts: number;
  readonly timeoutMs = TIMEOUT_MS;
  readonly shares: readonly Share[];
  readonly limits: Limits;

  constructor(
    private readonly target: WebSocketTarget,
    private readonly append: Append,
  ) {
    this.id = target.id;
    this.maxAttempts = target.maxAttempts;
    this.shares = target.shares;
    this.limits = target.limits;
  }

  get normalise(): Normalise | undefined {
    return this.target.normalise;
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
