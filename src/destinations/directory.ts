import { LRUCache } from 'lru-cache';
import type { Envelope } from '../events/envelope';
import {
  type Delivery,
  type Destination,
  type DestinationId,
  destinationKey,
  type Endpoint,
} from '../pipeline/delivery';
import type { Parking } from '../pipeline/parking';
import { type Routed, route, type Subscription } from '../pipeline/route';
import type { Settings } from '../settings/section';
import type { InForce, SettingsCache } from '../settings/settings-cache';
import { SettingsUnreadableError } from '../settings/settings-errors';
import { instanceId, instanceOf, kindOf } from './destination-ids';
import { type Preparing, prepared } from './prepared-destination';
import { sharesOf } from './shares-of';
import { type OwnDestinations, UnreadableDestination, WaitingDestination } from './unreadable-destination';

/** All destinations of one kind. */
export interface DestinationFamily {
  readonly globals: readonly Subscription[];
  /** The global ones as the events of an instance with settings reach them, where those differ; of the same ids. */
  globalsOf?(instance: string, settings: Settings): readonly Subscription[];
  /** Those that an instance's settings ask for. */
  own(instance: string, settings: Settings): readonly Subscription[];
  /** Begins what goes on beside deliveries. */
  start?(): void;
  /** Ends what `start` began; deliveries still under way are made to their end. */
  stop?(): Promise<void>;
  close(): Promise<void>;
}

export interface DestinationsParts {
  readonly families: readonly DestinationFamily[];
  readonly settings: Pick<SettingsCache, 'of' | 'reject'> & Partial<Pick<SettingsCache, 'count'>>;
  /** Left out where no destination's events need more than themselves. */
  readonly preparing?: Preparing;
  /** Part of all places that an instance holds while others are active. */
  readonly maxShare: number;
  /** Stores what waited for settings that could not be read. */
  readonly parking: Pick<Parking, 'park'>;
  /** Counts what of that the conditions on content leave out. */
  readonly countFiltered: (deliveries: readonly Delivery[]) => void;
  /** One of them is ordered; called for each event that is routed to it. */
  readonly onOrdered?: (id: DestinationId) => void;
}

/** What one instance's events are routed by. */
interface Routes {
  readonly own: OwnDestinations;
  /** The global ones, and the instance's own or what stands for them. */
  readonly all: readonly Subscription[];
}

/** Of what sends nowhere in the network, or where that is not known. */
const NOWHERE: Endpoint = { shown: '', print: '' };
/** Instances whose destinations are kept ready. */
const MAX_INSTANCES = 10_000;

/** Where the events of each instance go: to the global destinations, and to those of its own settings. */
export class Destinations {
  private readonly globals: readonly Subscription[];
  /** Of instances without settings. */
  private readonly globalRoutes: Routes;
  /** What falls out needs no closing: idle connections close by themselves. */
  private readonly ready = new LRUCache<string, Routes>({ max: MAX_INSTANCES });

  constructor(private readonly parts: DestinationsParts) {
    this.globals = this.prepared(parts.families.flatMap(({ globals }) => globals));
    this.globalRoutes = { own: 'removed', all: this.globals };
    this.tellOrdered(this.globals);
  }

  /** Where the global ones send, by id: workers of one Redis should agree on it. */
  get addresses(): ReadonlyMap<DestinationId, string> {
    return new Map(
      this.globals.flatMap(({ destination: { id, address } }) =>
        address === undefined ? [] : [[id, address]],
      ),
    );
  }

  /** The deliveries of an event; later where the settings of its instance must be read first. */
  route(envelope: Envelope): Routed | Promise<Routed> {
    const routes = this.routesOf(envelope);
    if (!(routes instanceof Promise)) return route(envelope, routes.all);
    return routes.then(({ all }) => route(envelope, all));
  }

  /**
   * The destination that a parked delivery of an event names; undefined where there is none any more. Where that cannot be known, as
   * the instance's settings are unreadable, one whose attempts wait.
   */
  async find(id: DestinationId, eventsInstance?: string): Promise<Destination | undefined> {
    const instance = instanceOf(id);
    if (instance === undefined) {
      const routes = eventsInstance === undefined ? this.globalRoutes : await this.routes(eventsInstance);
      return destinationIn(routes.all, id);
    }
    const kind = kindOf(id);
    const { own, all } = await this.routes(instance);
    if (kind === 'unreadable') return own === 'removed' ? undefined : this.unreadable(instance);
    return own === 'unreadable'
      ? new WaitingDestination(id, kind, sharesOf(id, this.parts.maxShare))
      : destinationIn(all, id);
  }

  /** Where a destination sends now; undefined where there is none of that id. */
  async endpointOf(id: DestinationId): Promise<Endpoint | undefined> {
    const found = await this.find(id);
    return found === undefined ? undefined : (found.endpoint?.() ?? NOWHERE);
  }

  /** Whether events can go nowhere else: then none is held up by what waits for this one. */
  isOnly(id: DestinationId): boolean {
    const { count } = this.parts.settings;
    const instance = instanceOf(id);
    if (instance === undefined) return count === 0 && this.globals.length === 1;
    return count === 1 && this.globals.length === 0 && this.ready.get(instance)?.all.length === 1;
  }

  /** The settings of this instance changed; undefined: any may have. */
  changed(instance: string | undefined): void {
    if (instance === undefined) this.ready.clear();
    else this.ready.delete(instance);
  }

  start(): void {
    for (const family of this.parts.families) family.start?.();
  }

  async stop(): Promise<void> {
    await Promise.all(this.parts.families.map((family) => family.stop?.()));
  }

  async close(): Promise<void> {
    await Promise.all(this.parts.families.map((family) => family.close()));
  }

  /** By the instance's name; where nothing is set under it, by the id that evolution-go gives it. */
  private routesOf({ instance, instanceId }: Envelope): Routes | Promise<Routes> {
    const byName = this.routes(instance);
    if (instanceId === undefined) return byName;
    const orById = (routes: Routes): Routes | Promise<Routes> =>
      routes === this.globalRoutes ? this.routes(instanceId) : routes;
    return byName instanceof Promise ? byName.then(orById) : orById(byName);
  }

  private routes(instance: string): Routes | Promise<Routes> {
    const ready = this.ready.get(instance);
    if (ready !== undefined) return ready;
    const settings = this.parts.settings.of(instance);
    if (!(settings instanceof Promise)) return this.prepare(instance, settings);
    // Others that waited for the same settings may have been first.
    return settings.then((read) => this.ready.get(instance) ?? this.prepare(instance, read));
  }

  private prepare(instance: string, settings: InForce): Routes {
    if (settings === undefined) return this.globalRoutes;
    const own = this.ownOf(instance, settings);
    const all =
      own === 'unreadable' || settings instanceof SettingsUnreadableError
        ? [...this.globals, ...this.standIn(instance)]
        : [...this.globalsOf(instance, settings), ...own];
    const routes = { own, all };
    this.ready.set(instance, routes);
    if (own !== 'unreadable') this.tellOrdered(own);
    return routes;
  }

  private tellOrdered(subscriptions: readonly Subscription[]): void {
    for (const { destination } of subscriptions)
      if (destination.limits?.ordered !== undefined) this.parts.onOrdered?.(destination.id);
  }

  /** Settings that no destination can be made of count as unreadable, too. */
  private ownOf(
    instance: string,
    settings: Settings | SettingsUnreadableError,
  ): readonly Subscription[] | 'unreadable' {
    if (settings instanceof SettingsUnreadableError) return 'unreadable';
    try {
      return this.prepared(this.parts.families.flatMap((family) => family.own(instance, settings)));
    } catch (error) {
      this.parts.settings.reject(instance, error);
      return 'unreadable';
    }
  }

  private globalsOf(instance: string, settings: Settings): readonly Subscription[] {
    const globals = this.parts.families.flatMap(
      (family) => family.globalsOf?.(instance, settings) ?? family.globals,
    );
    return this.prepared(globals);
  }

  private prepared(subscriptions: readonly Subscription[]): readonly Subscription[] {
    const { preparing } = this.parts;
    return subscriptions.map((each) => {
      const destination = prepared(each.destination, preparing);
      return destination === each.destination ? each : { ...each, destination };
    });
  }

  private standIn(instance: string): readonly Subscription[] {
    const destination = this.unreadable(instance);
    return [{ destination, key: destinationKey(destination.id), events: 'all' }];
  }

  private unreadable(instance: string): UnreadableDestination {
    const id = instanceId('unreadable', instance);
    return new UnreadableDestination({
      id,
      shares: sharesOf(id, this.parts.maxShare),
      kind: 'unreadable',
      own: () => this.ownNow(instance),
      parking: this.parts.parking,
      countFiltered: this.parts.countFiltered,
    });
  }

  /** What stands in for them is not asked: the settings may have become readable without a word. */
  private async ownNow(instance: string): Promise<OwnDestinations> {
    const settings = await this.parts.settings.of(instance);
    const routes = this.ready.get(instance);
    if (routes?.own === 'unreadable' && !(settings instanceof SettingsUnreadableError)) {
      this.ready.delete(instance);
    }
    return (await this.routes(instance)).own;
  }
}

function destinationIn(subscriptions: readonly Subscription[], id: DestinationId): Destination | undefined {
  return subscriptions.find(({ destination }) => destination.id === id)?.destination;
}
