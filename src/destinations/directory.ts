import { LRUCache } from 'lru-cache';
import type { Envelope } from '../events/envelope';
import type { Delivery, Destination, DestinationId } from '../pipeline/delivery';
import { route, type Subscription } from '../pipeline/route';
import type { Settings } from '../settings/schema';
import type { SettingsCache } from '../settings/settings-cache';
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

/** Where the events of each instance go: to the global destinations, and to those of its own settings. */
export class Destinations {
  private readonly globals: readonly Subscription[];
  /** What falls out needs no closing: idle connections close by themselves. */
  private readonly ready = new LRUCache<string, readonly Subscription[]>({ max: MAX_INSTANCES });

  constructor(
    private readonly families: readonly DestinationFamily[],
    private readonly settings: SettingsCache,
  ) {
    this.globals = families.flatMap(({ globals }) => globals);
  }

  /** The deliveries of an event; later where the settings of its instance must be read first. */
  route(envelope: Envelope): Delivery[] | Promise<Delivery[]> {
    const subscriptions = this.subscriptions(envelope.instance);
    if (!(subscriptions instanceof Promise)) return route(envelope, subscriptions);
    return subscriptions.then((read) => route(envelope, read));
  }

  /** The destination that a parked delivery names; undefined where there is none any more. */
  async find(id: DestinationId): Promise<Destination | undefined> {
    const instance = instanceOf(id);
    const subscriptions = instance === undefined ? this.globals : await this.subscriptions(instance);
    return subscriptions.find(({ destination }) => destination.id === id)?.destination;
  }

  /** The settings of this instance changed; undefined: any may have. */
  changed(instance: string | undefined): void {
    if (instance === undefined) this.ready.clear();
    else this.ready.delete(instance);
  }

  async close(): Promise<void> {
    await Promise.all(this.families.map((family) => family.close()));
  }

  private subscriptions(instance: string): readonly Subscription[] | Promise<readonly Subscription[]> {
    const ready = this.ready.get(instance);
    if (ready !== undefined) return ready;
    const settings = this.settings.of(instance);
    if (!(settings instanceof Promise)) return this.prepare(instance, settings);
    // Others that waited for the same settings may have been first.
    return settings.then((read) => this.ready.get(instance) ?? this.prepare(instance, read));
  }

  private prepare(instance: string, settings: Settings | undefined): readonly Subscription[] {
    if (settings === undefined) return this.globals;
    const own = this.families.flatMap((family) => family.own(instance, settings));
    const subscriptions = [...this.globals, ...own];
    this.ready.set(instance, subscriptions);
    return subscriptions;
  }
}
