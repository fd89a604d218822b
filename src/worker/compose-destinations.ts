import { Destinations } from '../destinations/directory';
import type { Lifecycle } from '../lifecycle/lifecycle';
import type { DestinationId } from '../pipeline/delivery';
import type { RelayRedis } from '../redis/relay-redis';
import type { Subscriber } from '../redis/subscriber';
import type { SettingsCache } from '../settings/settings-cache';
import type { Storage } from './compose-storage';
import type { Observer } from './observer';
import type { WorkerOptions } from './worker-options';

export interface DestinationsContext {
  readonly options: WorkerOptions;
  readonly storage: Storage;
  readonly changes: Subscriber;
  readonly settings: SettingsCache;
  readonly observer: Observer;
  readonly lifecycle: Lifecycle;
  readonly onOrdered: (id: DestinationId) => void;
}

/** Where events can go: what the modules open for this worker. */
export function composeDestinations(parts: DestinationsContext): Destinations {
  const { options, storage, changes, settings, observer, lifecycle, onOrdered } = parts;
  const { modules, config, log } = options;
  const { redis, parking, ledger } = storage;
  const openRedis = (): RelayRedis => redis.open('commands');
  const context = { config, redis: redis.commands, subscriber: changes, openRedis, log };
  const families = modules.destinations.map((module) => module.open(context));
  const destinations = new Destinations({
    families,
    settings,
    parking,
    countFiltered: (deliveries) => {
      ledger.countDiscarded(deliveries);
      for (const delivery of deliveries) observer.filtered(delivery);
    },
    onOrdered,
    maxShare: config.delivery.maxShare,
  });
  return lifecycle.add('destinations', destinations, (all) => Promise.all([all.stop(), all.close()]));
}
