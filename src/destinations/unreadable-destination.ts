import type { Delivery, Destination, DestinationId, Outcome, RunningAttempt } from '../pipeline/delivery';
import type { Parking } from '../pipeline/parking';
import type { Share } from '../pipeline/places';
import { route, type Subscription } from '../pipeline/route';

/** What an instance's own destinations are now: they are none that anybody could name while its settings are unreadable. */
export type OwnDestinations = readonly Subscription[] | 'unreadable' | 'removed';

export interface UnreadableParts {
  readonly id: DestinationId;
  readonly kind: string;
  /** Those of its instance: what waits for settings takes no more from others than what does not. */
  readonly shares: readonly Share[];
  /** Rejects where that cannot be known. */
  readonly own: () => OwnDestinations | Promise<OwnDestinations>;
  /** Stores what the instance's own destinations get once they are known. */
  readonly parking: Pick<Parking, 'park'>;
  /** Counts what their conditions on content leave out. */
  readonly countFiltered: (deliveries: readonly Delivery[]) => void;
}

/** Long enough that many that wait cost little, short enough that mended settings are soon made use of. */
const WAIT_MS = 30_000;
/** Up and down: what waits does not come back all at once. */
const JITTER = 0.5;
const TIMEOUT_MS = 60_000;

/**
 * Stands for the destinations of an instance whose settings cannot be read. Its deliveries wait, without an attempt
 * being spent; once the settings are readable, each is routed, and parked for every destination that wants it under the
 * id that it would have had. A worker that dies in between stores the same ids again, which changes nothing.
 */
export class UnreadableDestination implements Destination {
  readonly id: DestinationId;
  readonly kind: string;
  readonly maxAttempts = Number.MAX_SAFE_INTEGER;
  readonly timeoutMs = TIMEOUT_MS;
  readonly shares: readonly Share[];

  constructor(private readonly parts: UnreadableParts) {
    this.id = parts.id;
    this.shares = parts.shares;
    this.kind = parts.kind;
  }

  start(delivery: Delivery): RunningAttempt {
    let abort = (): void => {};
    const aborted = new Promise<Outcome>((resolve) => {
      abort = () => resolve(waiting('ATTEMPT_ABORTED'));
    });
    return { outcome: Promise.race([this.attempt(delivery), aborted]), abort };
  }

  async close(): Promise<void> {}

  private async attempt(delivery: Delivery): Promise<Outcome> {
    try {
      const own = await this.parts.own();
      if (own === 'unreadable') return waiting('SETTINGS_UNREADABLE');
      // The retry worker finds no such destination any more, and keeps the event as a dead letter.
      if (own === 'removed') return waiting('SETTINGS_REMOVED', 0);
      await this.handOver(delivery, own);
      return { kind: 'delivered' };
    } catch {
      // Redis is away, or the worker stops.
      return { kind: 'interrupted', code: 'STORE_UNAVAILABLE' };
    }
  }

  private async handOver({ envelope }: Delivery, own: readonly Subscription[]): Promise<void> {
    const decision = { kind: 'retry', delayMs: 0 } as const;
    const { deliveries, filtered } = route(envelope, own);
    const tickets = deliveries.map((delivery) =>
      this.parts.parking.park({ delivery, reason: 'unreadable', attemptsMade: 0, history: [], decision }),
    );
    await Promise.all(tickets.map(({ settled }) => settled));
    if (filtered.length > 0) this.parts.countFiltered(filtered);
  }
}

/**
 * Stands for one destination of such an instance that a stored delivery names: whether there still is one is known when
 * the settings are.
 */
export class WaitingDestination implements Destination {
  readonly maxAttempts = Number.MAX_SAFE_INTEGER;
  readonly timeoutMs = TIMEOUT_MS;

  constructor(
    readonly id: DestinationId,
    readonly kind: string,
    readonly shares: readonly Share[],
  ) {}

  start(): RunningAttempt {
    return { outcome: Promise.resolve(waiting('SETTINGS_UNREADABLE')), abort: () => {} };
  }

  async close(): Promise<void> {}
}

function waiting(code: string, waitMs = WAIT_MS): Outcome {
  const retryAfterMs = Math.round(waitMs * (1 + JITTER * (2 * Math.random() - 1)));
  return { kind: 'interrupted', code, retryAfterMs };
}
