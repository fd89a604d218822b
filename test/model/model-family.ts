import { instanceId } from '../../src/destinations/destination-ids';
import type { DestinationFamily } from '../../src/destinations/directory';
import { sharesOf } from '../../src/destinations/shares-of';
import { webhookSection } from '../../src/destinations/webhook/webhook-section';
import { filterKey } from '../../src/events/catalogue';
import { type DestinationId, destinationKey } from '../../src/pipeline/delivery';
import type { Limits } from '../../src/pipeline/destination-limits';
import type { Subscription } from '../../src/pipeline/route';
import type { Settings } from '../../src/settings/section';
import type { Gauge } from './gauge';
import { LIMITS } from './limits';
import type { Process } from './process';
import { ModelDestination } from './receivers';
import type { World } from './world';

export interface FamilyParts {
  readonly world: World;
  readonly process: Process;
  readonly gauge: Gauge;
}

const NO_LIMITS: Limits = {};

/** The webhooks as one process reaches them. */
export class ModelFamily implements DestinationFamily {
  readonly globals: readonly Subscription[];

  constructor(private readonly parts: FamilyParts) {
    const messages = new Set([filterKey('messages.upsert')]);
    this.globals = [this.subscription(parts.world.global, messages, NO_LIMITS)];
  }

  own(instance: string, settings: Settings): Subscription[] {
    const limits: Limits = instance === 'orderly' ? { ordered: 'chat' } : NO_LIMITS;
    return webhookSection
      .all(settings)
      .map(({ slot }) => this.subscription(instanceId('webhook', instance, slot.name), 'all', limits));
  }

  async close(): Promise<void> {}

  private subscription(id: DestinationId, events: Subscription['events'], limits: Limits): Subscription {
    const { world, process, gauge } = this.parts;
    const destination = new ModelDestination({
      ...{ process, gauge, limits },
      receiver: world.receiverOf(id),
      time: world.time,
      shares: sharesOf(id, LIMITS.maxShare),
      onStart: () => world.attemptBegins(id),
    });
    return { destination, key: destinationKey(id), events };
  }
}
