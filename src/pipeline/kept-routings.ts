import type { Envelope } from '../events/envelope';
import type { Delivery } from './delivery';
import type { DirectResult } from './direct-attempts';
import type { InFlight } from './in-flight';
import { ReturningMessages } from './returning-messages';
import type { Routed } from './route';

/** Bodies are not kept. */
type KeptDelivery = Omit<Delivery, 'envelope'>;

/** Where a message went that goes back to its broker although some of its deliveries were made. */
export interface KeptRouting {
  readonly deliveries: readonly KeptDelivery[];
  readonly filtered: readonly KeptDelivery[];
  /** By the place of each delivery; undefined where it was not begun. */
  readonly results: readonly (DirectResult | undefined)[];
}

/**
 * Messages that go back although some of their deliveries were made keep their routing. Routed anew a message may lead
 * elsewhere, as settings were mended, changed or became unreadable meanwhile, and what was stored for a destination that stands
 * for others reaches those as well.
 */
export class KeptRoutings {
  /** Their ids are those of the events, or are found again by other means: they stay true. */
  private readonly routings = new ReturningMessages<KeptRouting>(Number.POSITIVE_INFINITY);

  keep({ claimKey, deliveries, filtered, results }: InFlight): void {
    this.routings.expect(claimKey, {
      deliveries: deliveries.map(withoutEnvelope),
      filtered: filtered.map(withoutEnvelope),
      results: results.map((result) => (isMade(result) ? result : undefined)),
    });
  }

  /** Asked when a copy is routed: once for each message that went back. */
  take({ claimKey }: InFlight): KeptRouting | undefined {
    return this.routings.take(claimKey);
  }
}

/** The same routing for the copy that came: to destinations as they are set now, where they are known. */
export function routedAsBefore(
  { deliveries, filtered }: KeptRouting,
  envelope: Envelope,
  fresh: Routed,
): Routed {
  const known = new Map(fresh.deliveries.map((delivery) => [delivery.id, delivery]));
  return {
    deliveries: deliveries.map((kept) => known.get(kept.id) ?? { ...kept, envelope }),
    filtered: filtered.map((kept) => ({ ...kept, envelope })),
  };
}

function withoutEnvelope({ envelope: _envelope, ...kept }: Delivery): KeptDelivery {
  return kept;
}

function isMade(result: DirectResult): boolean {
  return result !== 'untouched' && result !== 'unstored';
}
