import { LRUCache } from 'lru-cache';
import type { Envelope } from '../events/envelope';
import type { Delivery, Destination, DestinationId } from '../pipeline/delivery';
import { route, type Subscription } from '../pipeline/route';
import type { SettingsCache } from '../settings/cache';
import type { Settings } from '../settings/schema';
import { instanceOf } from './destination-ids';

/** All destinations of one kind. */
export interface DestinationFamily {
  readonly globals: readonly Subscription[];
  /** Those that an instance's settings ask for. */
  own(instance: string, settings: Settings): readonly Subscription[];
  close(): Promise<void>;
}

/** Instances whose destinations are kept ready. */
const MAX_INSTANCES = 10_000;

interface Ready {
  readonly settings: Settings;
  readonly subscriptions: readonly Subscription[];
}

/** Where the events of each instance go: to the global destinations, and to those of its own settings. */
export class Destinations {
  private readonly globals: readonly Subscription[];
  /** What falls out needs no closing: idle connections close by themselves. */
  private readonly ready = new LRUCache<string, Ready>({ max: MAX_INSTANCES });

  constructor(
    private readonly families: readonly DestinationFamily[],
    private readonly settings: SettingsCache,
  ) {
    this.globals = families.flatMap(({ globals }) => globals);
  }

  /** The deliveries of an event; later where the settings of its instance must be read first. */
  route(envelope: Envelope): Delivery[] | Promise<Delivery[]> {
    const settings = this.settings.of(envelope.instance);
    if (!(settings instanceof Promise))
      return route(envelope, this.subscriptions(envelope.instance, settings));
    return settings.then((read) => route(envelope, this.subscriptions(envelope.instance, read)));
  }

  /** The destination that a parked delivery names; undefined where there is none any more. */
  async find(id: DestinationId): Promise<Destination | undefined> {
    const instance = instanceOf(id);
    const subscriptions =
      instance === undefined ? this.globals : this.subscriptions(instance, await this.settings.of(instance));
    return subscriptions.find(({ destination }) => destination.id === id)?.destination;
  }

  async close(): Promise<void> {
    await Promise.all(this.families.map((family) => family.close()));
  }

  private subscriptions(instance: string, settings: Settings | undefined): readonly Subscription[] {
    if (settings === undefined) return this.globals;
    const ready = this.ready.get(instance);
    if (ready?.settings === settings) return ready.subscriptions;
    const own = this.families.flatMap((family) => family.own(instance, settings));
    const subscriptions = [...this.globals, ...own];
    this.ready.set(instance, { settings, subscriptions });
    return subscriptions;
  }
}
